import { describe, expect, test } from "vitest";
import type { Evidence } from "../evidence/evidence.ts";
import { unfinishedRun } from "./bundle.ts";
import { resultOf, start } from "./healthyResult.ts";
import { lookOf, renderRun } from "./terminal.ts";

const folder = "/srv/fwlab/runs/2026-11-20T16-00-32Z-ab12";

/** Cuts the flow short at the fault: nothing arrives any more. */
function kill(evidence: Evidence, index: number): void {
  const flow = evidence.flows[index];
  if (flow === undefined) throw new Error(`no flow ${index}`);
  for (const { received } of [flow.forward, flow.reverse]) {
    received.seq.splice(95);
    received.atMs.splice(95);
  }
  flow.errors.push({ clock: "client", atMs: 70_000, code: "ECONNRESET", message: "read ECONNRESET" });
}

const widthOf = (text: string) => Math.max(...text.split("\n").map((line) => line.length));

const broken = new Map([6, 50, 60, 61, 1000].map((flows) => [flows, resultOf(flows, (evidence) => kill(evidence, 0))]));

describe.each([100, 120, 160, 250])("at %i columns", (columns) => {
  test.each([...broken])("no line of a run with %i flows is too wide", (_, run) => {
    const text = renderRun(run, folder, { columns, color: false });
    expect(widthOf(text)).toBeLessThanOrEqual(Math.min(columns, 160));
    expect(text).not.toContain("\u001b");
    expect(text).not.toContain("…");
  });
});

test("50 flows: every one, with its tuples and figures", () => {
  const run = resultOf(50);
  const text = renderRun(run, folder, { columns: 160, color: false });
  for (const { id } of run.flows) expect(text).toContain(id);
  expect(text).toMatch(/udp-005\s+udp\s+request\s+192\.168\.0\.3:20005 > 192\.168\.1\.3:7\s+192\.168\.1\.100:20005 > 192\.168\.1\.3:7\s+\d+\s+\d+\s+34\s+0\s+0\s+3100 ms\s+yes/u);
  expect(text).toMatch(/topology {3}primary-backup, config fixtures\/omarine-snat \(sha256 ab12ab12ab12\)/u);
  expect(text).toContain("tcg: /dev/kvm opens, but a stock kernel did not reach its first process within 10 s; 2 cores");
  expect(text).toMatch(/outage-in-bound\s+failover\s+pass\s+longest stall \d+ ms/u);
  expect(text).toContain("verdict    PASS\nreason     all 50 flows survived failover and failback, and all 19 checks hold");
  expect(text.endsWith(folder)).toBe(true);
});

test("1,000 flows: sums by kind and mode, and the worst ten by name, the dead first", () => {
  const text = renderRun(resultOf(1000, (evidence) => kill(evidence, 700)), folder, { columns: 120, color: false });
  expect(text).toMatch(/tcp\s+client\s+167\s/u);
  expect(text).toMatch(/ssh\s+request\s+\d+\s.*yes|\d+ of \d+/u);
  const worst = text.split("1000 flows; the worst 10:\n")[1]?.split("\n\n")[0] ?? "";
  expect(worst.split("\n")).toHaveLength(1 + 10 * 2);
  expect(worst.split("\n")[1]).toMatch(/^ssh-700 .* no, reset$/u);
  expect(text.split("\n").length).toBeLessThan(140);
});

test("a check that fails says why, and where to look", () => {
  const text = renderRun(resultOf(50, (evidence) => kill(evidence, 0)), folder, { columns: 100, color: false });
  expect(text).toMatch(/fail flows-survive \(failover\)\n {2}why {6}tcp-000: forward: nothing sent after the fault arrived/u);
  expect(text).toContain("evidence ledgers/tcp-000.json");
  expect(text).toContain("verdict    FAIL");
});

test("a run that did not finish", () => {
  const text = renderRun(unfinishedRun({ ...start, fault: { ...start.fault, atMs: null } }), folder, { columns: 100, color: false });
  expect(text).toContain("power-cut of fw-1, which did not happen");
  expect(text).toContain("no flow was opened");
  expect(text).toContain("verdict    INVALID\nreason     the run did not finish");
});

test("colours only on a terminal without NO_COLOR", () => {
  expect(lookOf({ isTTY: true, columns: 132 }, {})).toEqual({ columns: 132, color: true });
  expect(lookOf({ isTTY: true, columns: 132 }, { NO_COLOR: "1" })).toEqual({ columns: 132, color: false });
  expect(lookOf({}, {})).toEqual({ columns: 100, color: false });
  expect(renderRun(resultOf(6), folder, { columns: 100, color: true })).toContain("\u001b[32mpass");
});
