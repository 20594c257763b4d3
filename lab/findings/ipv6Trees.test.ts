import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { pairConfig, readPair } from "../config/pair.ts";
import { primaryBackupIpv6 } from "../topology/primaryBackup.ts";
import { findingsOf } from "./findings.ts";

const treeOf = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
const findingsIn = async (topology: typeof primaryBackupIpv6, name: string) => findingsOf(pairConfig(await readPair(topology, [treeOf(name)])));

test.each(["omarine-snat-ipv6", "omarine-routed-ipv6", "test-case-ipv6"])("%s has no finding above a hint: nobody sends to the link-local virtual addresses", async (name) => {
  const findings = await findingsIn(primaryBackupIpv6, name);
  expect(findings.filter(({ severity }) => severity !== "hint")).toEqual([]);
  expect(new Set(findings.map(({ id }) => id))).toEqual(new Set(["vip-unknown"]));
});

test("the control: a tree with IPv4 addresses is no tree for the pair over IPv6", async () => {
  const errors = (await findingsIn(primaryBackupIpv6, "omarine-snat")).filter(({ severity }) => severity === "error");
  expect(errors.map(({ id }) => id)).toContain("vip-missing");
});
