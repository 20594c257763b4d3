import { expect, test } from "vitest";
import { conntrackdConf, findingsAfter, replace, take } from "./brokenPair.fixture.ts";

const ruleset = "/etc/nftables.conf";
const offloading = replace(ruleset, /(type filter hook forward .*\n)/u, "$1\t\tip protocol { tcp, udp } ct state established flow add @fast\n", "fw-2");
const offloaded = async (...edits: Parameters<typeof findingsAfter>) => (await findingsAfter(...edits)).filter(({ id }) => id === "offloaded-states");

test("a rule that puts connections into a flowtable is a hint where states are replicated, and says what it explains", async () => {
  const [finding, ...others] = await offloaded(offloading);
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ severity: "hint", machine: "fw-2", file: "fw-2/etc/nftables.conf" });
  expect(finding?.line).toBeGreaterThan(1);
  expect(finding?.explains).toContain("flows-survive");
});

test("without conntrackd, or in a comment, it is none", async () => {
  expect(await offloaded(offloading, take(conntrackdConf, "fw-2"))).toEqual([]);
  expect(await offloaded(replace(ruleset, /(type filter hook forward .*\n)/u, "$1\t\t# ct state established flow add @fast\n", "fw-2"))).toEqual([]);
  expect(await offloaded()).toEqual([]);
});
