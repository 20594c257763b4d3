import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { pairConfig, type PairFiles } from "../config/pair.ts";
import { readRuleset } from "../config/readRuleset.ts";
import type { Ruleset } from "../config/ruleset.ts";
import type { Finding } from "../evidence/finding.ts";
import { edited, put, referencePair, replace, sysctlConf } from "./brokenPair.fixture.ts";
import { findingsOf } from "./findings.ts";

const recorded = (name: string): string => readFileSync(new URL(`../config/recorded/${name}`, import.meta.url), "utf8");
const reference = recorded("nft-omarine-snat.json");

type Nftables = { nftables: Record<string, { chain?: string; name?: string; hook?: string; policy?: string; expr?: unknown[] | undefined }>[] };

/** The reference's ruleset as the kernel tells it, changed as a kernel would tell another. */
function changed(change: (told: Nftables) => void): string {
  const told = JSON.parse(reference) as Nftables;
  const before = JSON.stringify(told);
  change(told);
  if (JSON.stringify(told) === before) throw new Error("the change misses");
  return JSON.stringify(told);
}

/** Without the rules of a chain whose text matches. */
const without = (chain: string, pattern: RegExp): string =>
  changed((told) => {
    told.nftables = told.nftables.filter(({ rule }) => rule === undefined || rule.chain !== chain || !pattern.test(JSON.stringify(rule.expr)));
  });

const substituted = (from: string, to: string): string => {
  if (!reference.includes(from)) throw new Error(`the ruleset has no ${from}`);
  return reference.replaceAll(from, to);
};

const rulesetOf = (machine: string, nftJson: string): Ruleset => {
  const read = readRuleset(machine, { nftJson, iptablesSave: "", ip6tablesSave: "" });
  if (read === undefined) throw new Error("no ruleset");
  return read;
};

/** What is found above a hint of rulesets, when the nodes' kernels tell these. */
async function faults(first: string, second = reference, files: (pair: PairFiles) => PairFiles = (pair) => pair): Promise<Finding[]> {
  const rulesets = new Map([["fw-1", rulesetOf("fw-1", first)], ["fw-2", rulesetOf("fw-2", second)]]);
  return findingsOf(pairConfig(files(await referencePair()), rulesets)).filter(({ severity }) => severity !== "hint");
}

const told = (findings: readonly Finding[]): string[] => [...new Set(findings.map(({ id, machine, file, line }) => `${id} ${machine} ${file}:${line ?? "-"}`))];

describe("rules over both rulesets", () => {
  test("find nothing in the reference tree", async () => {
    expect(await faults(reference)).toEqual([]);
  });

  test("VRRP that does not come in", async () => {
    const deaf = without("input", /"vrrp"/u);
    // The file still has the rule, so that lines cannot be told by their order: the policy's can.
    expect(told(await faults(deaf, deaf))).toEqual(expect.arrayContaining(["vrrp-blocked fw-1 fw-1/etc/nftables.conf:-", "vrrp-blocked fw-2 fw-2/etc/nftables.conf:-"]));
  });

  test("states that do not come in", async () => {
    expect(told(await faults(without("input", /3780/u)))).toContain("sync-blocked fw-1 fw-1/etc/nftables.conf:-");
    const otherPort = substituted("3780", "3781");
    const findings = await faults(otherPort, otherPort);
    // Nothing else changed: the rule that drops is the last of its chain in the file.
    expect(told(findings)).toEqual(["sync-blocked fw-1 fw-1/etc/nftables.conf:41", "sync-blocked fw-2 fw-2/etc/nftables.conf:41"]);
  });

  test("one direction of established connections", async () => {
    const oneWay = changed(({ nftables }) => {
      const rule = nftables.map((object) => object["rule"]).find((candidate) => candidate?.chain === "forward");
      rule?.expr?.unshift({ match: { op: "==", left: { meta: { key: "iifname" } }, right: "eth1" } });
    });
    const findings = await faults(oneWay, oneWay);
    expect(findings.filter(({ id }) => id === "established-not-accepted").every(({ wrong }) => wrong.includes("back to the client"))).toBe(true);
    expect(told(findings)).toEqual(["established-not-accepted fw-1 fw-1/etc/nftables.conf:49", "established-not-accepted fw-2 fw-2/etc/nftables.conf:49"]);
  });

  test("a service that only one node allows", async () => {
    const findings = await faults(reference, substituted('"set": [7, 22]', '"set": [7, 80]'));
    expect(told(findings)).toEqual(expect.arrayContaining(["service-not-allowed fw-2 fw-2/etc/nftables.conf:49", "ruleset-differs fw-2 fw-2/etc/nftables.conf:54"]));
    expect(findings.filter(({ machine }) => machine === "fw-1")).toEqual([]);
  });

  test("a policy that opens", async () => {
    const open = changed(({ nftables }) => {
      for (const { rule } of nftables) if (rule?.chain === "forward") rule.expr = rule.expr?.map((statement) => (JSON.stringify(statement) === '{"drop":null}' ? { accept: null } : statement));
    });
    expect(told(await faults(open, open))).toContain("denied-service-allowed fw-1 fw-1/etc/nftables.conf:49");
  });

  test("new connections without SYN, where tcp_loose is 1", async () => {
    const noSyn = changed(({ nftables }) => {
      for (const { rule } of nftables) if (rule?.chain === "client_to_omarine") rule.expr = rule.expr?.filter((statement) => !JSON.stringify(statement).includes("flags"));
    });
    const loose = (pair: PairFiles): PairFiles => edited(pair, [replace(sysctlConf, "tcp_loose = 0", "tcp_loose = 1")]);
    expect(told(await faults(noSyn, noSyn, loose))).toContain("mid-stream-new-accepted fw-1 fw-1/etc/nftables.conf:54");
    expect(await faults(noSyn, noSyn)).toEqual([]);
    expect(await faults(reference, reference, loose)).toEqual([]);
  });

  test("a reset for what belongs to no connection", async () => {
    const resets = changed(({ nftables }) => {
      for (const { rule } of nftables) if (rule?.chain === "forward") rule.expr = rule.expr?.map((statement) => (JSON.stringify(statement) === '{"drop":null}' ? { reject: { type: "tcp reset" } } : statement));
    });
    expect(told(await faults(resets, resets))).toEqual(["out-of-state-rejected fw-1 fw-1/etc/nftables.conf:47", "out-of-state-rejected fw-2 fw-2/etc/nftables.conf:47"]);
  });

  test("a translation to the node's own address, to another's, by masquerading, or on one node alone", async () => {
    const line = ":64";
    expect(told(await faults(substituted("192.168.1.100", "192.168.1.1"), substituted("192.168.1.100", "192.168.1.2")))).toEqual(
      expect.arrayContaining([`snat-own-address fw-1 fw-1/etc/nftables.conf${line}`, `snat-own-address fw-2 fw-2/etc/nftables.conf${line}`]),
    );
    const masquerades = changed(({ nftables }) => {
      for (const { rule } of nftables) if (rule?.chain === "postrouting") rule.expr = [{ masquerade: null }];
    });
    expect(told(await faults(masquerades, masquerades))).toContain(`snat-own-address fw-1 fw-1/etc/nftables.conf${line}`);
    const none = without("postrouting", /snat/u);
    expect(told(await faults(reference, none))).toContain("nat-differs fw-2 fw-2/etc/nftables.conf:-");
    expect(await faults(none, none)).toEqual([]);
  });

  test("a node without a ruleset", async () => {
    expect(told(await faults(reference, '{"nftables": []}'))).toContain("ruleset-missing fw-2 fw-2/etc/nftables.conf:-");
  });

  test("own addresses may differ", async () => {
    const from = (address: string): string => changed(({ nftables }) => {
      for (const { rule } of nftables) if (rule?.chain === "input") rule.expr?.unshift({ match: { op: "!=", left: { payload: { protocol: "ip", field: "saddr" } }, right: address } });
    });
    expect(await faults(from("192.168.0.2"), from("192.168.0.1"))).not.toContainEqual(expect.objectContaining({ id: "ruleset-differs" }));
  });

  test("nothing is said of rules that no guest told", async () => {
    const pair = edited(await referencePair(), [put("/etc/nftables.conf", "# nothing\n")]);
    expect(findingsOf(pairConfig(pair)).filter(({ id }) => id.startsWith("ruleset"))).toEqual([]);
  });
});
