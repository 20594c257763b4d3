import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isUntracked, sourceTranslations, verdictOf, type RulePacket } from "./packetVerdict.ts";
import { readRuleset } from "./readRuleset.ts";
import type { Ruleset } from "./ruleset.ts";

const recorded = (name: string): string => readFileSync(new URL(`recorded/${name}`, import.meta.url), "utf8");

function ruleset(nft: string, iptables = ""): Ruleset {
  const read = readRuleset("fw-1", { nftJson: recorded(nft), iptablesSave: iptables === "" ? "" : recorded(iptables), ip6tablesSave: "" });
  if (read === undefined) throw new Error("nothing was recorded");
  return read;
}

const tcp: RulePacket = { family: "ip", protocol: 6, iifname: "eth1", oifname: "eth0", saddr: "192.168.0.3", daddr: "192.168.1.3", sport: 40_000, dport: 22, ctState: "new", tcpFlags: ["syn"] };
const back: RulePacket = { ...tcp, iifname: "eth0", oifname: "eth1", saddr: "192.168.1.3", daddr: "192.168.0.3", sport: 22, dport: 40_000, ctState: "established", tcpFlags: ["ack"] };
const vrrp: RulePacket = { family: "ip", protocol: 112, iifname: "eth0", oifname: null, saddr: "192.168.1.2", daddr: "224.0.0.18", ctState: "untracked" };

describe("the ruleset of omarine-snat", () => {
  const reference = ruleset("nft-omarine-snat.json");
  const forward = (packet: RulePacket) => verdictOf(reference, packet, "forward").verdict;

  test("lets the client begin what the policy names, and nothing else", () => {
    expect(forward(tcp)).toBe("accept");
    expect(forward({ ...tcp, protocol: 17, dport: 7, tcpFlags: undefined })).toBe("accept");
    expect(forward({ ...tcp, dport: 23 })).toBe("drop");
    expect(forward({ ...tcp, saddr: "10.0.0.1" })).toBe("drop");
    expect(forward({ ...tcp, daddr: "192.168.1.4" })).toBe("drop");
    expect(forward({ ...tcp, tcpFlags: ["ack"] })).toBe("drop");
    expect(forward({ ...tcp, ctState: "invalid" })).toBe("drop");
    expect(forward({ ...back, ctState: "new", tcpFlags: ["syn"] })).toBe("drop");
  });

  test("lets both directions of a connection through", () => {
    expect(forward({ ...tcp, ctState: "established" })).toBe("accept");
    expect(forward(back)).toBe("accept");
  });

  test("is undecided where the packet is", () => {
    expect(forward({ ...tcp, dport: undefined })).toBe("unknown");
    expect(forward({ ...tcp, ctState: undefined, dport: 23 })).toBe("unknown");
  });

  test("takes VRRP in, untracked, on both sides, and not from the sync link", () => {
    expect(isUntracked(reference, vrrp, "input")).toBe(true);
    expect(verdictOf(reference, vrrp, "input").verdict).toBe("accept");
    expect(verdictOf(reference, { ...vrrp, iifname: "eth2" }, "input").verdict).toBe("drop");
    expect(isUntracked(reference, { ...vrrp, protocol: 17 }, "input")).toBe(false);
    expect(verdictOf(reference, { ...vrrp, iifname: null, oifname: "eth0" }, "output").verdict).toBe("accept");
  });

  test("says by which rule", () => {
    const [outcome] = verdictOf(reference, { ...tcp, ctState: "invalid" }, "forward").outcomes;
    expect(outcome?.rule?.comment).toBe("forward: belongs to no connection");
  });

  test("translates the client to the virtual address, and nobody else", () => {
    expect(sourceTranslations(reference, tcp).map(({ action }) => action)).toEqual([{ kind: "snat", addresses: ["192.168.1.100"] }]);
    expect(sourceTranslations(reference, { ...tcp, saddr: "192.168.7.3" })).toEqual([]);
  });
});

describe("a ruleset of sets, maps and concatenations", () => {
  const sets = ruleset("nft-sets.json");
  const input = (packet: RulePacket) => verdictOf(sets, packet, "input");

  test("a verdict map leads to its chains", () => {
    expect(input(vrrp).verdict).toBe("accept");
    expect(input({ ...vrrp, iifname: "lo", protocol: 6 }).verdict).toBe("accept");
    expect(input({ ...vrrp, protocol: 6, tcpFlags: ["syn"], dport: 80 }).verdict).toBe("drop");
  });

  test("a set of prefixes and addresses", () => {
    expect(input({ ...tcp, oifname: null, saddr: "192.168.1.2" }).verdict).toBe("accept");
    expect(input({ ...tcp, oifname: null, saddr: "10.200.0.1", dport: 22 }).verdict).toBe("accept");
  });

  test("what depends on more than the packet is undecided", () => {
    // fib, socket and packet type follow.
    expect(input({ ...tcp, oifname: null, saddr: "192.168.9.9", dport: 80 }).verdict).toBe("unknown");
  });

  test("a concatenated key decides by all its fields", () => {
    const forward = (packet: RulePacket) => verdictOf(sets, packet, "forward").verdict;
    expect(forward({ ...tcp, ctState: "established" })).toBe("accept");
    // ct direction and ct status stand before: they may accept, and the limit may stop.
    expect(verdictOf(sets, tcp, "forward").outcomes.map(({ chain }) => chain.name)).toContain("ssh");
    expect(verdictOf(sets, { ...tcp, iifname: "eth9" }, "forward").outcomes.map(({ chain }) => chain.name)).not.toContain("ssh");
  });

  test("negation keeps the other interfaces out", () => {
    const output = { ...vrrp, iifname: null, oifname: "eth2" };
    expect(verdictOf(sets, output, "output").verdict).toBe("drop");
    expect(verdictOf(sets, { ...output, oifname: "eth1" }, "output").verdict).toBe("accept");
  });

  test("masquerade", () => {
    expect(sourceTranslations(sets, tcp)[0]?.action).toEqual({ kind: "masquerade" });
  });
});

describe("iptables' rules", () => {
  const rules = ruleset("nft-of-iptables.json", "iptables-save.txt");
  const forward = (packet: RulePacket) => verdictOf(rules, packet, "forward");

  test("are read from its own words, once", () => {
    expect(rules.chains.every(({ tool }) => tool === "iptables")).toBe(true);
    expect(rules.chains.find(({ name, table }) => name === "INPUT" && table === "filter")?.base).toEqual({ type: "filter", hook: "input", priority: 0, policy: "drop" });
  });

  test("states, ports and jumps", () => {
    expect(forward(tcp).verdict).toBe("accept");
    expect(forward({ ...tcp, dport: 1_500 }).verdict).toBe("accept");
    expect(forward(back).verdict).toBe("accept");
    expect(forward({ ...back, ctState: "invalid" }).verdict).toBe("drop");
  });

  test("a reset for what begins in its middle", () => {
    const { outcomes, verdict } = forward({ ...tcp, tcpFlags: ["ack"] });
    expect(verdict).toBe("drop");
    expect(outcomes.map(({ action }) => action)).toEqual([{ kind: "reject", how: "tcp-reset" }]);
  });

  test("an ipset, whose members are not told, leaves it open", () => {
    expect(forward({ ...tcp, protocol: 17, dport: 53, tcpFlags: undefined }).verdict).toBe("unknown");
  });

  test("VRRP by name, number and address", () => {
    expect(verdictOf(rules, vrrp, "input").verdict).toBe("accept");
    expect(verdictOf(rules, { ...vrrp, iifname: "eth1" }, "input").verdict).toBe("accept");
    expect(verdictOf(rules, { ...vrrp, iifname: "eth1", daddr: "192.168.0.1" }, "input").verdict).toBe("unknown");
    expect(isUntracked(rules, vrrp, "input")).toBe(true);
    expect(isUntracked(rules, { ...vrrp, iifname: null, oifname: "eth2" }, "output")).toBe(true);
    expect(isUntracked(rules, { ...vrrp, iifname: null, oifname: "eth0" }, "output")).toBe(false);
  });

  test("SNAT before MASQUERADE", () => {
    expect(sourceTranslations(rules, tcp).map(({ action }) => action)).toEqual([{ kind: "snat", addresses: ["192.168.1.100"] }]);
    expect(sourceTranslations(rules, { ...tcp, saddr: "192.168.0.4" }).map(({ action }) => action)).toEqual([{ kind: "masquerade" }]);
  });
});
