import { describe, expect, test } from "vitest";
import { failover } from "../../lab/run/failover.ts";
import { mixedFlows } from "../../lab/traffic/flowSpec.ts";
import { conducted } from "../conducted.ts";
import { daemonStop } from "./daemonStop.ts";
import { handoverInTime } from "./handoverInTime.ts";

/** The skew time of the backup is under a second; TCP's backoff, which may just have missed the end of the pause, doubles it at most. */
const boundMs = 2_500;

/*
 *   client ──┬── fw-1 ──┬── omarine      An administrator stops keepalived on fw-1.
 *            └── fw-2 ──┘
 */
describe("keepalived is stopped on fw-1", () => {
  const run = conducted({
    config: "omarine-snat",
    fault: { id: "daemon-stop", target: "fw-1" },
    story: async (lab) => {
      await lab.ownedBy("fw-1");
      await lab.open(mixedFlows(12));
      await lab.replicatedTo("fw-2");
      await failover(lab, { from: "fw-1", to: "fw-2", strike: () => daemonStop(lab.machine("fw-1").shell, "keepalived", lab.signal) });
    },
  });

  test("every established flow survives, and both addresses are on fw-2", () => {
    expect(run()).toPass("fault-bit", "flows-survive", "vips-moved", "state-on-survivor", "no-drops-on-survivor");
  });

  test("fw-2 heard the goodbye", () => {
    const [outage] = run().run.outages;
    expect(outage && handoverInTime(outage, boundMs)).toMatchObject({ verdict: "pass" });
  });
});
