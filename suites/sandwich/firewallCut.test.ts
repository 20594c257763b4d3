import { describe, expect, test } from "vitest";
import { sandwichFlows, sandwichLoad } from "../../lab/load/sandwichLoad.ts";
import { judgeFirewallCut, cutFlows } from "../../lab/judge/firewallCut.ts";
import { firewallCutStory } from "../../lab/run/firewallCutStory.ts";
import { sandwich } from "../../lab/topology/sandwich.ts";
import { everyNight } from "../everyNight.ts";
import { sandwiched, type Sandwiched } from "./sandwiched.ts";

const fault = { id: "power-cut", target: "fw-1" };
const cut = { victim: "fw-1", survivor: "fw-2" } as const;

const load = (held: number, others: number, pauseMs: number) => sandwichLoad(sandwich, { held, others, pauseMs });
const specs = (count: number) => sandwichFlows(sandwich, count);

const checksOf = ({ evidence, packets }: Sandwiched, phase: string) => {
  const transition = evidence.transitions.find((each) => each.phase === phase);
  if (transition === undefined) throw new Error(`the run has no ${phase}`);
  return Object.fromEntries(judgeFirewallCut(evidence, sandwich, packets, transition).map((check) => [check.id, check]));
};
const failoverFlows = ({ evidence, packets }: Sandwiched) => {
  const [transition] = evidence.transitions;
  if (transition === undefined) throw new Error("the run has no transition");
  return cutFlows(evidence, sandwich, packets, transition);
};
const actOf = ({ evidence }: Sandwiched) => evidence.acts?.[0] ?? expect.fail("the run has no act");

describe("a sandwich whose firewalls replicate their states, when fw-1 loses its power under 1,000 connections", () => {
  const run = sandwiched({ trees: ["sandwich", "sandwich-ha"], fault, story: (lab) => firewallCutStory(lab, { ...cut, specs: specs(40), order: load(1_000, 20, 10_000) }) });

  test.each(["failover", "failback"])("every flow survives the %s, in time, and then goes by one firewall", (phase) => {
    const checks = checksOf(run(), phase);
    for (const id of ["fault-bit", "flows-survive", "outage-in-bound", "one-way"]) expect(checks[id]).toMatchObject({ verdict: "pass" });
  });

  test("flows of fw-2 notice nothing when fw-1 dies", () => {
    expect(checksOf(run(), "failover")["spared-unharmed"]).toMatchObject({ verdict: "pass" });
  });

  test("of a thousand connections none is lost, and no request fails", () => {
    const { load: record, held } = actOf(run());
    expect({ held: record.held, lost: record.lost }).toEqual({ held, lost: [] });
    expect(record.requests.outcome.filter((outcome) => outcome !== "ok")).toEqual([]);
    expect(record.requests.outcome.length).toBeGreaterThan(held);
  });
});

everyNight("the same where the states come after the addresses, and what is not known is reset", () => {
  const run = sandwiched({
    trees: ["sandwich", "sandwich-ha", "controls/sandwich-window"],
    fault,
    story: (lab) => firewallCutStory(lab, { ...cut, specs: specs(40), order: load(40, 8, 2_000), failback: false, settleMs: 12_000 }),
  });

  test("flows of fw-1 die by resets, those of fw-2 notice nothing", () => {
    const checks = checksOf(run(), "failover");
    expect(checks["flows-survive"]).toMatchObject({ verdict: "fail" });
    expect(checks["spared-unharmed"]).toMatchObject({ verdict: "pass" });
    const dead = failoverFlows(run()).filter(({ faults }) => faults.length > 0);
    expect(new Set(dead.map(({ carrier }) => carrier))).toEqual(new Set(["fw-1"]));
    expect(dead.some(({ faults }) => faults.some((fault) => fault.startsWith("ECONNRESET")))).toBe(true);
  });
});

describe("the sandwich of the document, which has no failover", () => {
  const run = sandwiched({
    trees: ["sandwich"],
    fault,
    story: async (lab) => {
      await lab.shell(lab.topology.director).must("ipvsadm --edit-service --fwmark-service 1 --scheduler rr", { signal: lab.signal });
      await firewallCutStory(lab, { ...cut, specs: specs(20), order: { ...load(20, 0, 2_000), timeoutMs: 5_000 } });
    },
  });

  test("the flows of fw-1 die, those of fw-2 live", () => {
    const flows = failoverFlows(run());
    const alive = (carrier: string) => flows.filter((flow) => flow.carrier === carrier).map(({ faults }) => faults.length === 0);
    expect(new Set(alive("fw-1"))).toEqual(new Set([false]));
    expect(new Set(alive("fw-2"))).toEqual(new Set([true]));
    expect(checksOf(run(), "failover")["spared-unharmed"]).toMatchObject({ verdict: "pass" });
  });
});
