import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { nodeFile, type NodeFiles } from "../config/nodeFiles.ts";
import { readSysctls } from "../config/sysctls.ts";
import { readUnits } from "../config/units.ts";
import type { MachineShell } from "../machine/shell.ts";
import { quoted } from "../machine/quoted.ts";
import { ask, Asking } from "./asking.ts";
import { conntrackdComplaints } from "./conntrackdCheck.ts";
import { iptablesComplaints, iptablesFiles } from "./iptablesCheck.ts";
import { keepalivedComplaints } from "./keepalivedCheck.ts";
import { loadFindings } from "./loadRuleset.ts";
import { nftComplaints, nftFiles } from "./nftCheck.ts";
import { parseServices, rulesetServices } from "./rulesetUnits.ts";
import { scriptComplaints, shellScripts } from "./scriptCheck.ts";
import { sysctlFindings } from "./sysctlCheck.ts";
import { unitComplaints } from "./unitCheck.ts";

/** What a guest's tools answered, by the command line; recorded in an idle guest. */
function recorded(name: string): (command: string) => string {
  const text = readFileSync(new URL(`recorded/${name}`, import.meta.url), "utf8");
  const answers = new Map(text.split(/^=== /mu).map((part) => [part.split("\n")[0] ?? "", part.slice(part.indexOf("\n") + 1)]));
  return (command) => {
    const answer = answers.get(command);
    if (answer === undefined) throw new Error(`${name} has no answer to ${command}`);
    return answer;
  };
}

const node = (files: Readonly<Record<string, string>>): NodeFiles => ({
  machine: "fw-1",
  files: Object.entries(files).map(([path, content]) => nodeFile(path, { file: `fw-1${path}`, tree: "t", content })),
  links: [],
});

const short = (complaints: readonly { path: string; line: number | null; severity: string }[]): string[] => complaints.map(({ path, line, severity }) => `${severity} ${path}:${line ?? "-"}`);

describe("nft -c", () => {
  const answer = recorded("nft-check.txt");

  test("each error at its line, in the file that it is in", () => {
    expect(short(nftComplaints(answer("nft -c -f bad1.nft"), "bad1.nft"))).toEqual(["error bad1.nft:4", "error bad1.nft:5"]);
    expect(short(nftComplaints(answer("nft -c -f incl.nft"), "incl.nft"))).toEqual(["error /tmp/x/bad3.nft:2"]);
    expect(short(nftComplaints(answer("nft -c -f loop.nft"), "loop.nft"))).toEqual(["error /tmp/x/loop.nft:1"]);
    expect(short(nftComplaints(answer("nft -c -f /nonexistent"), "/nonexistent"))).toEqual(["error /nonexistent:-"]);
  });

  test("is asked of what units and programs load, and of nothing else", () => {
    const files = nftFiles(node({ "/etc/nftables.conf": "flush ruleset\n", "/etc/other.nft": "x", "/etc/unit.nft": "x", "/usr/local/sbin/rules": "#!/usr/sbin/nft -f\n", "/etc/systemd/system/f.service": "[Service]\nExecStart=/usr/sbin/nft -f /etc/unit.nft\n" }));
    expect(files.map(({ path }) => path).sort()).toEqual(["/etc/nftables.conf", "/etc/unit.nft", "/usr/local/sbin/rules"]);
  });
});

test("iptables-restore stops at one line", () => {
  const answer = recorded("iptables-restore.txt");
  const lines = [3, 5, 7, 9].map((number) => iptablesComplaints(answer(`iptables-restore --test bad${number}.rules`), "r")[0]);
  expect(lines.map((complaint) => complaint?.line)).toEqual([3, 2, 2, 1]);
  expect(lines[2]?.text).toContain("192.168.0.300");
  expect(iptablesFiles(node({ "/etc/iptables/rules.v4": "*filter\n:INPUT DROP [0:0]\nCOMMIT\n", "/etc/notes": "*filter is a table\n" })).map(({ path }) => path)).toEqual(["/etc/iptables/rules.v4"]);
});

test("sh -n and bash -n tell a line", () => {
  const answer = recorded("shell.txt");
  expect(scriptComplaints(answer("sh -n a.sh"), "a.sh")[0]?.line).toBe(4);
  expect(scriptComplaints(answer("bash -n b.sh"), "b.sh")[0]?.line).toBe(4);
  expect(shellScripts(node({ "/a": "#!/bin/sh\n", "/b": "#!/usr/bin/env bash\n", "/c": "#!/usr/bin/python3\n", "/d": "text\n" })).map(({ shell }) => shell)).toEqual(["sh", "bash"]);
});

describe("keepalived --config-test", () => {
  const answer = recorded("keepalived.txt");
  const of = (number: number) => keepalivedComplaints(answer(`keepalived -t -f k${number}.conf -lnG`), `k${number}.conf`);

  test("what it passes over is a warning, what it ends at an error", () => {
    expect(short(of(1))).toEqual(["warning k1.conf:23", "warning k1.conf:36"]);
    expect(short(of(3))).toEqual(["error k3.conf:34", "error k3.conf:-"]);
    expect(new Set(short(of(5)))).toEqual(new Set(["error k5.conf:-"]));
    expect(short(of(7)).at(-1)).toBe("error k7.conf:-");
    expect(short(of(10))).toEqual(["error k10.conf:-"]);
  });

  test("a file that it includes is told by its own name", () => {
    expect(short(of(11))).toContain("warning /tmp/x/kinc.conf:3");
  });

  test("what it sets right by itself is a hint", () => {
    expect(of(14).filter(({ text }) => text.includes("preempt_delay")).every(({ severity }) => severity === "hint")).toBe(true);
  });
});

describe("conntrackd's parser", () => {
  const answer = recorded("conntrackd.txt");
  const file = ["Sync {", "Interface eth9", "IPv4_address 225.0.0.500", "UDPP"];
  const of = (name: string) => conntrackdComplaints(answer(`conntrackd -C ${name} -s`), name, file);

  test("that there is no daemon to ask is no complaint", () => {
    expect(of("/etc/conntrackd/conntrackd.conf")).toEqual([]);
  });

  test("its errors, and its warnings at which the daemon ends", () => {
    expect(short(of("c1.conf"))).toEqual(["error c1.conf:3"]);
    expect(short(of("c5.conf"))).toEqual(["error c5.conf:2"]);
    expect(short(of("c7.conf"))).toEqual(["error c7.conf:3"]);
    expect(short(of("c11.conf"))).toEqual(["warning c11.conf:4"]);
  });
});

test("systemd-analyze verify: what is left out, and what cannot be run", () => {
  const [, text = ""] = [...readFileSync(new URL("recorded/systemd-analyze.txt", import.meta.url), "utf8").split(/^=== .*\n/mu)];
  const bad1 = "[Unit]\nDescription=x\nAfter=nonesuch.service\nRequires=nonesuch.service\n\n[Service]\nType=oneshot\nExecStart=/usr/local/sbin/fw.sh start\nExecStrt=/bin/true\n";
  const units = readUnits(node({ "/etc/systemd/system/bad1.service": bad1, "/etc/systemd/system/multi-user.target.wants/bad1.service": "" }));
  const complaints = short(unitComplaints(text, units));
  expect(complaints).toContain("warning /etc/systemd/system/bad1.service:9");
  expect(complaints).toContain("error /etc/systemd/system/bad1.service:8");
});

test("systemd-sysctl: names that the kernel lacks, and values that it refuses", () => {
  const text = readFileSync(new URL("recorded/systemd-sysctl.txt", import.meta.url), "utf8");
  const sysctls = readSysctls(node({ "/etc/sysctl.d/70-bad.conf": "net.ipv4.ip_forwrd = 1\nnet.netfilter.nf_conntrack_tcp_loose = abc\n" }));
  expect(sysctlFindings(text, "fw-1", sysctls).map(({ id, line }) => `${id}:${line ?? "-"}`)).toEqual(["sysctl-unknown:1", "sysctl-refused:2"]);
  // What the image itself says wrongly is not the tree's.
  expect(sysctlFindings(text, "fw-1", new Map())).toEqual([]);
});

describe("what loads the ruleset", () => {
  const services = parseServices(readFileSync(new URL("recorded/services.txt", import.meta.url), "utf8"));

  test("nft's unit, and a script of the tree's; never the daemons, whatever they run before", () => {
    const tree = node({ "/usr/local/sbin/firewall.sh": "#!/bin/sh\niptables -P FORWARD DROP\n", "/etc/keepalived/vip-gate": "#!/bin/sh\nnft list ruleset\n" });
    expect(rulesetServices(services, tree).sort()).toEqual(["firewall.service", "nftables.service"]);
    expect(rulesetServices(services, node({ "/usr/local/sbin/firewall.sh": "#!/bin/sh\n# iptables -P FORWARD DROP\necho hello\n" }))).toEqual(["nftables.service"]);
  });

  test("one that does not end, and one that fails", () => {
    const tree = node({ "/etc/systemd/system/firewall.service": "[Service]\n" });
    expect(loadFindings(tree, "firewall.service", "yes\nyes\nResult=timeout\n")).toMatchObject([{ id: "ruleset-load", certainty: "likely", file: "fw-1/etc/systemd/system/firewall.service" }]);
    expect(loadFindings(tree, "firewall.service", "iptables: No chain/target/match by that name.\nResult=exit-code\n")).toMatchObject([{ certainty: "certain", wrong: expect.stringContaining("No chain") as string }]);
  });
});

test("a command is bounded in the guest, by time and by output, whatever it holds", async () => {
  const lines: string[] = [];
  const run: MachineShell["run"] = (command) => {
    lines.push(command);
    return Promise.resolve({ stdout: "y\n", stderr: "", exitCode: 124 });
  };
  const shell: MachineShell = { name: "fw-1", address: "10.0.0.1", run, must: async (command) => (await run(command)).stdout };
  const asking = Asking.of(shell);
  expect((await ask(asking, "echo 'it''s'", 3)).endless).toBe(true);
  expect(lines[0]).toMatch(/^timeout -k 1 5 bash -c .*timeout -k 1 3 .*head -c 65536/u);
  expect(asking.answers).toHaveLength(1);
  expect(quoted("it's")).toBe(String.raw`'it'\''s'`);
});
