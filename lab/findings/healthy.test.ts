import { expect, test } from "vitest";
import { conntrackdConf, findingsAfter, replace, sysctlConf } from "./brokenPair.fixture.ts";
import { collected } from "./findings.ts";

test("the reference tree has no finding", async () => {
  expect(await findingsAfter()).toEqual([]);
});

test("findings are told once, errors first, then by file and line", async () => {
  const found = await findingsAfter(
    replace(sysctlConf, "nf_conntrack_events = 1", "nf_conntrack_events = 2"),
    replace(sysctlConf, "net.ipv4.ip_forward = 1", "net.ipv4.ip_forward = 0", "fw-2"),
    replace(conntrackdConf, "HashLimit 131072", "HashLimit 512"),
  );
  expect(found.map(({ severity, id, file }) => [severity, id, file])).toEqual([
    ["error", "forwarding-off", "fw-2/etc/sysctl.d/60-firewall.conf"],
    ["warning", "hash-limit-small", "fw-1/etc/conntrackd/conntrackd.conf"],
    ["warning", "hash-limit-small", "fw-2/etc/conntrackd/conntrackd.conf"],
    ["hint", "conntrack-events", "fw-1/etc/sysctl.d/60-firewall.conf"],
    ["hint", "conntrack-events", "fw-2/etc/sysctl.d/60-firewall.conf"],
  ]);
  expect(collected([...found, ...found].toReversed())).toEqual(found);
  // One line of a file that both nodes get.
  const inCommon = found.slice(1, 3).map((finding) => ({ ...finding, file: "common/etc/conntrackd/conntrackd.conf" }));
  expect(collected(inCommon)).toHaveLength(1);
});
