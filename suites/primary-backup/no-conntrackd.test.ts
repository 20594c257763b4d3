import { describe, expect, test } from "vitest";
import { powerCutStory } from "../../lab/run/powerCutStory.ts";
import { conducted } from "../conducted.ts";

/** The control: the same run, the same tree, but conntrackd masked on both nodes. It must fail, and for that reason. */
describe("fw-1 loses its power, and its states were never replicated", () => {
  const run = conducted({
    config: "primary-backup",
    control: "no-conntrackd",
    fault: { id: "power-cut", target: "fw-1" },
    story: powerCutStory(20),
  });

  test("the run is judged, and fails", () => {
    expect(run().run.verdict).toBe("fail");
  });

  test("no state was on fw-2 before, no flow survives, and fw-2 drops what it knows nothing of", () => {
    expect(run()).toFail("replicated-before", "flows-survive", "no-drops-on-survivor", "state-on-survivor");
    expect(run().run.flows.filter(({ survived }) => survived)).toEqual([]);
  });

  test("the drops are packets of the flows, by fw-2's own log", () => {
    const drops = run().run.checks.find(({ id }) => id === "no-drops-on-survivor");
    expect(drops?.explanation).toMatch(/dropped packets of flows: (?:tcp|udp|ssh)-\d+/u);
  });

  test("nothing else is to blame: all was steady, the fault bit, the addresses moved, the policy held, new connections work", () => {
    expect(run()).toPass("steady-before", "fault-bit", "vips-moved", "new-connections");
  });
});
