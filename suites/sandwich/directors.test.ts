import { describe, expect, test } from "vitest";
import { judgeBalance } from "../../lab/judge/balance.ts";
import { sandwichFlows, sandwichLoad } from "../../lab/load/sandwichLoad.ts";
import { directorCutStory, directorsReady, healthActs, healthStory } from "../../lab/run/directorStories.ts";
import { sandwichDirectors as topology } from "../../lab/topology/sandwich.ts";
import { sandwiched, type Sandwiched } from "./sandwiched.ts";

const specs = sandwichFlows(topology, 24);
const held = sandwichLoad(topology, { held: 60, others: 0, pauseMs: 2_000 });
const short = sandwichLoad(topology, { held: 0, others: 40, pauseMs: 1_000, timeoutMs: 5_000 });
const trees = ["sandwich", "sandwich-directors"] as const;
const fault = { id: "power-cut", target: "lvs" };

const checksOf = ({ run }: Sandwiched) => Object.fromEntries(run.checks.map(({ id, verdict, explanation }) => [id, verdict === "pass" ? verdict : `${verdict}: ${explanation}`]));

/*
 *             ┌── lvs ──┐        ┌─ fw-1 ─┐
 *   clients ──┤         ├────────┤        ├─── egress-router ── servers
 *             └── lvs-2 ┘        └─ fw-2 ─┘
 */
describe("the active director loses its power", () => {
  const run = sandwiched({ topology, trees, fault, story: (lab) => directorCutStory(lab, { specs, order: held }) });

  test("every flow survives, in time, by the firewall that it went by; no request fails", () => {
    expect(run().run.verdict, run().run.reason).toBe("pass");
    expect(checksOf(run())).toMatchObject({ "flows-survive": "pass", "outage-in-bound": "pass", "same-firewall": "pass", "requests-answered": "pass" });
  });
});

describe("the control: directors that tell each other nothing", () => {
  const daemons: string[] = [];
  const run = sandwiched({
    ...{ topology, trees, fault },
    story: async (lab) => {
      // Before, keepalived would start them again.
      await directorsReady(lab);
      for (const name of topology.directors) daemons.push(await lab.shell(name).must("ipvsadm --stop-daemon master; ipvsadm --stop-daemon backup; ipvsadm -l --daemon", { signal: lab.signal }));
      await directorCutStory(lab, { specs, order: held });
    },
  });

  test("flows die", () => {
    expect(daemons).toEqual(["", ""]);
    expect(checksOf(run())["flows-survive"]).toMatch(/^fail: /u);
  });
});

describe("the director's health checks, when fw-1 loses its power and gets it back", () => {
  const run = sandwiched({ topology, trees, fault: { id: "power-cut", target: "fw-1" }, story: (lab) => healthStory(lab, { order: short, actMs: 5_000 }) });
  const judged = (name: string) => {
    const act = run().evidence.acts?.find((each) => each.name === name);
    if (act === undefined) throw new Error(`no act ${name}`);
    return Object.fromEntries(judgeBalance(act, topology, run().packets).map(({ id, verdict, measured }) => [id, verdict === "pass" ? verdict : `${verdict}: ${measured}`]));
  };

  test.each([healthActs.all, healthActs.again])("%s: both carry their share, without an error", (name) => {
    expect(judged(name)).toEqual({ "requests-answered": "pass", "both-carry": "pass", "same-way-back": "pass", "no-rejects": "pass" });
  });

  test("once it is found out, fw-2 carries all, and no request fails", () => {
    expect(judged(healthActs.one)).toMatchObject({ "requests-answered": "pass", "same-way-back": "pass", "both-carry": expect.stringMatching(/^fail: fw-1 0 connections/u) as unknown });
  });
});
