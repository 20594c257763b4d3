import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { trialsSchema, type Trial, type Trials } from "../evidence/trials.ts";
import { healthyTrial, healthyTrials, invalidTrial, outage, unresumedTrial } from "../judge/healthyTrials.ts";
import { summarizeTrials } from "../judge/trialsSummary.ts";
import { start } from "./healthyResult.ts";
import { renderTrials } from "./trialsTerminal.ts";

const folder = "/srv/fwlab/runs/2026-11-20T16-00-32Z-cd34";
const plain = { columns: 100, color: false };

function trialsOf(trials: Trial[], planned = trials.length): Trials {
  const { id, topology, config, host } = start;
  return trialsSchema.parse({ schema: 1, id, topology, config, host, fault: { id: "power-cut", target: "fw-1" }, flows: 50, seed: 42, spreadMs: 1000, planned, trials, ...summarizeTrials(trials, planned) });
}

const mixed = trialsOf([...healthyTrials(17), unresumedTrial(18), invalidTrial(19)], 20);

test("a small example: head, a line a trial, histogram, figures, verdict", () => {
  const lines = renderTrials(trialsOf([healthyTrial(1), healthyTrial(2, { outage: outage(3100), durations: { totalMs: 12_500 } }), healthyTrial(3, { outage: outage(3020) })]), folder, plain).split("\n");
  const text = lines.join("\n");
  expect(text).toMatch(/topology {3}primary-backup, config fixtures\/omarine-snat \(sha256 ab12ab12ab12\)\nmachines {3}tcg: /u);
  expect(text).toMatch(/fault .*power-cut of fw-1, 3 times, spread over 1000 ms with seed 42\nflows +50/u);
  expect(text).toMatch(/trial +offset +verdict +network outage +longest stall +survived +took\n +1 +39\.500 ms +pass +3010 ms +4010 ms +50\/50 +12\.0 s\n +2 +79\.500 ms +pass +3100 ms +4100 ms +50\/50 +12\.5 s\n/u);
  // Ten bins of ten milliseconds, and the two values at their edges are told in the right ones.
  const bars = lines.filter((line) => / - \d+ ms/u.test(line));
  expect(bars).toHaveLength(10);
  expect(bars.filter((line) => line.includes("#"))).toEqual(["3010 - 3019 ms 1 #", "3020 - 3029 ms 1 #", "3100 - 3109 ms 1 #"]);
  expect(text).toMatch(/outage +min 3010 ms, median 3020 ms, p95 3092 ms, max 3100 ms over 3 of 3 trials\nstall +min 4010 ms/u);
  expect(text).toMatch(/survived +150 of 150 flows in 3 valid trials\ncost +min 12000 ms, .* over 3 of 3 trials\nslope +each trial took \+0 ms /u);
  expect(text).toContain("verdict    PASS\nreason     all 3 trials passed");
  expect(lines.at(-1)).toBe(`trials     ${folder}`);
  expect(text).not.toMatch(/why|never|undefined|NaN|null/u);
});

describe("trials that did not pass", () => {
  const text = renderTrials(mixed, folder, plain);

  test("each tells why, and where its bundle is", () => {
    expect(text).toMatch(/fail trial 18 \(offset 719\.500 ms\)\n {2}why {6}flows-survive \(failover\): tcp-007: forward: nothing sent after the fault arrived/u);
    expect(text).toContain(`  bundle   ${folder}/trial-018\n`);
    expect(text).toMatch(/invalid trial 19 .*\n {2}why {6}host-health \(run\): cannot be judged/u);
    expect(text).toContain(`  bundle   ${folder}/trial-019\n`);
    expect(text).not.toContain(`${folder}/trial-017`);
  });

  test("a flow that never resumed has no finite stall, and stands in the histogram and beside the distribution", () => {
    expect(text).toMatch(/^ +18 .*fail +\(10 ms\) +\(never\) +48\/50 /mu);
    expect(text).toMatch(/a flow never resumed +1 #\n/u);
    expect(text).toMatch(/outage +min 3010 ms, .* max 3170 ms over 17 of 19 trials/u);
    expect(text).toMatch(/no end +in 1 of 18 valid trials a flow never resumed/u);
  });

  test("what is in no distribution is in brackets, which are explained", () => {
    expect(text).toContain("(figures in brackets are in no distribution");
    expect(renderTrials(trialsOf(healthyTrials(3)), folder, plain)).not.toContain("(figures");
  });

  test("an invalid one has its line and is in no figure", () => {
    expect(text).toMatch(/^ +19 .*invalid +\(99999 ms\)/mu);
    expect(text).not.toMatch(/max 99999|99000 - /u);
    expect(text).toMatch(/verdicts +20 planned: 17 passed, 1 failed, 1 invalid, 1 not made/u);
    expect(text).toMatch(/survived +898 of 900 flows in 18 valid trials/u);
    expect(text).toContain("verdict    FAIL\nreason     1 of 20 trials failed");
  });
});

test("no valid trial: nothing is made up", () => {
  const nothing = { outage: null, survived: 0, flows: 0, durations: {} };
  const text = renderTrials(trialsOf([{ ...invalidTrial(1), ...nothing }]), folder, plain);
  expect(text).toMatch(/^ +1 +39\.500 ms +invalid +- +- +0\/0 +-$/mu);
  expect(text).not.toMatch(/#|NaN|Infinity|undefined|null/u);
  expect(text).toContain("no valid trial tells the network's own");
  expect(text).toContain("verdict    INVALID");
  expect(renderTrials(trialsOf([], 20), folder, plain)).toContain("no trial was made");
});

test("every trial has a flow that never resumed: no histogram of what is left", () => {
  const text = renderTrials(trialsOf([unresumedTrial(1), unresumedTrial(2)]), folder, plain);
  expect(text).not.toContain("#");
  expect(text).toContain("in 2 of 2 valid trials a flow never resumed");
});

test("a cost that grows is told, and one that shrinks", () => {
  const costing = (step: number) => renderTrials(trialsOf([1, 2, 3].map((number) => healthyTrial(number, { durations: { totalMs: 12_000 + number * step } }))), folder, plain);
  expect(costing(250)).toContain("each trial took +250 ms ");
  expect(costing(-0.5)).toContain("each trial took -0.5 ms ");
});

describe.each([60, 72, 80, 100, 120, 250])("at %i columns", (columns) => {
  test.each([mixed, trialsOf(healthyTrials(1)), trialsOf(Array.from({ length: 1000 }, (_, index) => unresumedTrial(index + 1)))])("no line is too wide (%#)", (trials) => {
    const text = renderTrials(trials, folder, { columns, color: false });
    expect(Math.max(...text.split("\n").filter((line) => !line.includes(folder)).map((line) => line.length))).toBeLessThanOrEqual(Math.min(columns, 160));
    expect(text).not.toContain("…");
  });
});

test("plain but for colours, and those only when asked for", () => {
  const text = renderTrials(mixed, folder, plain);
  expect(text).toMatch(/^[\n\x20-\x7e]*$/u);
  const colored = renderTrials(mixed, folder, { ...plain, color: true });
  expect(colored).toContain("\u001b[31mfail");
  expect(stripVTControlCharacters(colored)).toBe(text);
});
