import { describe, expect, test } from "vitest";
import { failoverStory } from "../../lab/run/powerCutStory.ts";
import { conducted } from "../conducted.ts";
import { everyNight } from "../everyNight.ts";

const fault = { id: "power-cut", target: "fw-1" };
const lost = failoverStory(12, { lost: true });

/*
 *   client ── br1 ──┬─ fw-1 ─┬── br0 ── omarine, whose route to the client network is the outside virtual address
 *                   └─ fw-2 ─┘
 */
describe("fw-1, which translates nothing, loses its power", () => {
  const run = conducted({ config: "omarine-routed", fault, story: failoverStory(12) });

  test("every flow survives, and nothing is dropped", () => {
    expect(run()).toPass("flows-survive", "no-drops-on-survivor", "state-on-survivor", "outage-in-bound", "vips-moved");
  });

  test("the verdict is pass, over all kinds of flows", () => {
    const { verdict, flows } = run().run;
    expect(verdict).toBe("pass");
    expect(new Set(flows.map(({ kind }) => kind))).toEqual(new Set(["tcp", "udp"]));
  });

  test("omarine sees the client's own address and port", () => {
    const { flows } = run().run;
    expect(flows).toHaveLength(12);
    expect(flows.map(({ natTuple }) => natTuple)).toEqual(flows.map(({ tuple }) => tuple));
  });

  test("omarine's own connections to the client, whose service runs, are refused before, during and after", () => {
    expect(run()).toPass("new-connections");
    const measured = run().run.checks.filter(({ id }) => id === "new-connections").map((check) => check.measured);
    for (const text of measured) expect(text.match(/denied-service \w+: timeout/gu)).toHaveLength(3);
  });
});

describe("the control of its own kind: omarine's way back is fw-1's own address", () => {
  const run = conducted({ config: "omarine-routed", control: "way-back-by-fw-1", fault, story: lost });

  test("no flow survives, though every state is on fw-2: the answers go where nobody is any more", () => {
    expect(run().run.verdict).toBe("fail");
    expect(run()).toPass("replicated-before", "fault-bit");
    expect(run()).toFail("flows-survive", "new-connections");
    expect(run().run.flows.filter(({ survived }) => survived)).toEqual([]);
  });
});

everyNight("the control: the same, and its states were never replicated", () => {
  const run = conducted({ config: "omarine-routed", control: "no-conntrackd", fault, story: lost });

  // A request by UDP is allowed anew, and without NAT it is the same as the old: it makes its own state again, on any firewall.
  test("no connection survives: fw-2 drops both sides' packets, and says whose", () => {
    expect(run().run.verdict).toBe("fail");
    expect(run()).toFail("replicated-before", "flows-survive", "no-drops-on-survivor", "state-on-survivor");
    expect(run().run.flows.filter(({ survived, kind }) => survived && kind === "tcp")).toEqual([]);
  });

  test("nothing else is to blame", () => {
    expect(run()).toPass("steady-before", "fault-bit", "vips-moved", "new-connections");
  });
});
