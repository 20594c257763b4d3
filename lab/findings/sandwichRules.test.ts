import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSandwich } from "../config/sandwich.ts";
import { sandwich } from "../topology/sandwich.ts";
import { sandwichFindings } from "./sandwichRules.ts";

const fixtures = fileURLToPath(new URL("../../fixtures", import.meta.url));
const of = async (...trees: string[]) => sandwichFindings(await readSandwich(sandwich, trees));

test.each(["sandwich", "sandwich-ha", "sandwich-nft"])("nothing is found in %s", async (tree) => {
  expect(await of(join(fixtures, "sandwich"), join(fixtures, tree))).toEqual([]);
});

describe("what is wrong is found at its line", () => {
  let above: string;
  beforeAll(async () => {
    above = await mkdtemp(join(tmpdir(), "sandwich-"));
  });
  afterAll(() => rm(above, { recursive: true }));

  /** The document's tree with one file changed: laid over it. */
  const changed = async (changes: Readonly<Record<string, (text: string) => string>>): Promise<string> => {
    const tree = await mkdtemp(join(above, "tree-"));
    for (const [path, change] of Object.entries(changes)) {
      const text = await readFile(join(fixtures, "sandwich", path), "utf8");
      expect(change(text)).not.toBe(text);
      await mkdir(join(tree, dirname(path)), { recursive: true });
      await writeFile(join(tree, path), change(text));
    }
    return tree;
  };

  const vlan = "fw-1/etc/systemd/network/11-eth1.162.netdev";
  const trunk = "fw-1/etc/systemd/network/11-eth1.network";
  const own = "fw-1/etc/systemd/network/21-eth1.162.network";
  const ipvs = "lvs/etc/ipvsadm.rules";
  const router = "egress-router/etc/systemd/network/22-eth2.165.network";
  test.each<[string, string, (text: string) => string, Record<string, unknown>]>([
    ["a VLAN id out of range", vlan, (text) => text.replace("Id=162", "Id=4095"), { id: "vlan-id", file: vlan, line: 6, wrong: "eth1.162 is to be VLAN 4095, and an id is from 1 to 4094" }],
    ["a VLAN id that is no number", vlan, (text) => text.replace("Id=162", "Id=ingress"), { id: "vlan-id", file: vlan, line: 6 }],
    ["another VLAN than the trunk's", vlan, (text) => text.replace("Id=162", "Id=163"), { id: "vlan-id", severity: "error", wrong: "eth1.162 is VLAN 163, and its trunk carries 162" }],
    ["a VLAN larger than its trunk", own, (text) => `${text}\n[Link]\nMTUBytes=9000\n`, { id: "mtu-differs", severity: "error", file: own, wrong: "eth1.162 has an MTU of 9000 bytes, and the trunk under it 1500" }],
    ["a VLAN smaller than its trunk", own, (text) => `${text}\n[Link]\nMTUBytes=1400\n`, { id: "mtu-differs", severity: "warning" }],
    ["a real server outside the ingress network", ipvs, (text) => text.replace("10.162.0.2:0", "10.165.0.2:0"), { id: "real-server", file: ipvs, line: 3, wrong: "the real server 10.165.0.2 is in none of the director's networks (10.162.0.10/24)" }],
    ["a real server that nobody is", ipvs, (text) => text.replace("10.162.0.2:0", "10.162.0.77:0"), { id: "real-server", certainty: "likely", line: 3 }],
    ["a mark that no rule asks for", router, (text) => text.replace("FirewallMark=2", "FirewallMark=3"), { id: "mark-without-table", machine: "egress-router", file: "egress-router/etc/iptables/rules.v4", wrong: "packets get mark 2, and no routing rule asks for it" }],
    ["a mark whose table has no way", router, (text) => text.replace(/(?<=Gateway=10\.165\.0\.2\n)Table=102/u, "Table=103"), { id: "mark-without-table", wrong: "mark 2 is looked up in table 102, which has no default route" }],
  ])("%s", async (_, path, change, expected) => {
    expect(await of(join(fixtures, "sandwich"), await changed({ [path]: change }))).toEqual([expect.objectContaining(expected)]);
  });

  test("a trunk and its VLAN that are both larger fit", async () => {
    const larger = (text: string) => `${text}\n[Link]\nMTUBytes=9000\n`;
    expect(await of(join(fixtures, "sandwich"), await changed({ [trunk]: larger, [own]: larger }))).toEqual([]);
  });
});
