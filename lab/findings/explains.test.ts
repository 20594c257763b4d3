import { expect, test } from "vitest";
import { findingSchema } from "../evidence/finding.ts";
import { conntrackdConf, findingsAfter, keepalivedConf, put, replace, take } from "./brokenPair.fixture.ts";

/** The judge's own ids are above this floor, so they are written down here; lab/judge/judge.ts has them. */
const checkIds = ["steady-before", "replicated-before", "fault-bit", "vips-moved", "flows-survive", "no-drops-on-survivor", "state-on-survivor", "outage-in-bound", "new-connections"];

test("a finding has the form that is written out, and explains checks that there are", async () => {
  const found = [
    ...(await findingsAfter(replace(keepalivedConf, "virtual_router_id 10", "virtual_router_id 12", "fw-2"), replace(conntrackdConf, "Interface eth2", "Interface eth1", "fw-2"), take("/etc/keepalived/vip-gate", "fw-1"))),
    ...(await findingsAfter(put("/etc/sysctl.d/60-firewall.conf", "", "fw-2"), take(keepalivedConf, "fw-1"))),
  ];
  expect(found.length).toBeGreaterThan(8);
  for (const finding of found) {
    expect(findingSchema.parse(finding)).toEqual(finding);
    expect(checkIds).toEqual(expect.arrayContaining(finding.explains));
  }
});
