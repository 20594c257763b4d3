import { chmod, mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { pairConfig, readPair } from "../../lab/config/pair.ts";
import { readRuleset } from "../../lab/config/readRuleset.ts";
import type { Ruleset } from "../../lab/config/ruleset.ts";
import type { Finding } from "../../lab/evidence/finding.ts";
import { findingsOf } from "../../lab/findings/findings.ts";
import { labFolder } from "../../lab/host/labFolder.ts";
import { silentProgress } from "../../lab/progress/progress.ts";
import { AnswerStore } from "../../lab/run/answerStore.ts";
import { fixturesFolder, prepare } from "../../lab/run/prepare.ts";
import { staticAnswers } from "../../lab/run/staticLab.ts";
import { primaryBackup } from "../../lab/topology/primaryBackup.ts";

const withinMs = 5 * 60_000;
const reference = join(fixturesFolder, "omarine-snat");

/** What the guests' checkers and the rules over both rulesets find, in these trees. */
async function found(trees: readonly string[]): Promise<Finding[]> {
  const signal = AbortSignal.timeout(withinMs);
  const topology = primaryBackup;
  const prepared = await prepare({ topology, accelerator: "auto", progress: silentProgress, signal });
  const files = await readPair(topology, trees);
  const keptIn = await mkdtemp(join(labFolder(), "static-"));
  const { answers } = await staticAnswers({ files, trees, prepared, cold: false, keptIn, progress: silentProgress, signal });
  const rulesets = new Map<string, Ruleset>();
  for (const [machine, told] of answers) {
    const ruleset = readRuleset(machine, told);
    if (ruleset !== undefined) rulesets.set(machine, ruleset);
  }
  return [...[...answers.values()].flatMap(({ findings }) => findings), ...findingsOf(pairConfig(files, rulesets))];
}

/** Which machines were started to be asked about these trees, which it says were asked, and what was found. */
async function asked(trees: readonly string[], remembered: AnswerStore): Promise<{ readonly started: string[]; readonly told: readonly string[]; readonly findings: readonly (readonly [string, readonly Finding[]])[] }> {
  const signal = AbortSignal.timeout(withinMs);
  const topology = primaryBackup;
  const prepared = await prepare({ topology, accelerator: "auto", progress: silentProgress, signal });
  const keptIn = await mkdtemp(join(labFolder(), "static-"));
  const { answers, asked: told } = await staticAnswers({ files: await readPair(topology, trees), trees, prepared, cold: false, keptIn, remembered, progress: silentProgress, signal });
  const consoles = await readdir(join(keptIn, "static", "consoles")).catch(() => []);
  return { told: told.toSorted(), started: consoles.map((name) => name.replace(/\.log$/u, "")).toSorted(), findings: [...answers].map(([machine, { findings }]) => [machine, findings] as const).toSorted() };
}

/** A tree to lay over the reference, in which nearly each file has one fault. */
async function brokenTree(): Promise<string> {
  const tree = await mkdtemp(join(labFolder(), "broken-"));
  const put = async (path: string, content: string, mode = 0o644): Promise<void> => {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), content);
    await chmod(join(tree, path), mode);
  };
  const changed = async (path: string, from: string, to: string, mode = 0o644): Promise<void> => {
    const text = await readFile(join(reference, path), "utf8");
    if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
    await put(path, text.replaceAll(from, to), mode);
  };
  await changed("fw-1/etc/nftables.conf", "udp dport 3780", "udp dpot 3780");
  await changed("fw-1/etc/keepalived/keepalived.conf", "advert_int", "advrt_int");
  await changed("fw-1/etc/keepalived/notify", "\ndone", "\ndne", 0o755);
  await changed("fw-1/etc/conntrackd/conntrackd.conf", "HashLimit", "HashLimt");
  await put("fw-1/etc/sysctl.d/70-more.conf", "net.ipv4.ip_forwrd = 1\n");
  await put("fw-1/etc/iptables/rules.v4", "*filter\n-A FORWARD -s 192.168.0.300 -j ACCEPT\nCOMMIT\n");
  await put("fw-1/etc/systemd/system/keepalived.service.d/60-more.conf", "[Service]\nNonsense=1\n");
  await put("fw-2/usr/local/sbin/firewall", "#!/bin/sh\nwhile true; do sleep 1; done\n# iptables would come here\niptables -P FORWARD DROP\n", 0o755);
  await put("fw-2/etc/systemd/system/nftables.service.d/60-script.conf", "[Service]\nExecStart=\nExecStart=/usr/local/sbin/firewall\n");
  return tree;
}

test(
  "a machine is asked once: again only when its files are others",
  async () => {
    const remembered = new AnswerStore(await mkdtemp(join(labFolder(), "answers-")));
    const first = await asked([reference], remembered);
    expect(first.started).toEqual(["fw-1", "fw-2"]);
    expect(await asked([reference], remembered)).toEqual({ started: [], told: [], findings: first.findings });
    const changed = await mkdtemp(join(labFolder(), "changed-"));
    await mkdir(join(changed, "fw-2/etc"), { recursive: true });
    await writeFile(join(changed, "fw-2/etc/nftables.conf"), (await readFile(join(reference, "fw-2/etc/nftables.conf"), "utf8")).replace("udp dport 3780", "udp dpot 3780"));
    const { started, told, findings } = await asked([reference, changed], remembered);
    expect([started, told]).toEqual([["fw-2"], ["fw-2"]]);
    expect(new Map(findings).get("fw-2")).toContainEqual(expect.objectContaining({ id: "nft-check", file: "fw-2/etc/nftables.conf" }));
    expect(new Map(findings).get("fw-1")).toEqual(new Map(first.findings).get("fw-1"));
  },
  withinMs,
);

describe("the guests' own checkers", () => {
  let healthy: Finding[];
  let broken: Finding[];

  beforeAll(async () => {
    healthy = await found([reference]);
    broken = await found([reference, await brokenTree()]);
  }, 2 * withinMs);

  test("find nothing above a hint in the reference tree", () => {
    expect(healthy.filter(({ severity }) => severity !== "hint")).toEqual([]);
  });

  test.each([
    ["nft-check", "fw-1/etc/nftables.conf", 37],
    ["keepalived-check", "fw-1/etc/keepalived/keepalived.conf", 24],
    ["script-syntax", "fw-1/etc/keepalived/notify", 46],
    ["conntrackd-check", "fw-1/etc/conntrackd/conntrackd.conf", 19],
    ["sysctl-unknown", "fw-1/etc/sysctl.d/70-more.conf", 1],
    ["iptables-check", "fw-1/etc/iptables/rules.v4", 2],
    ["unit-verify", "fw-1/etc/systemd/system/keepalived.service.d/60-more.conf", 2],
  ])("%s finds the fault of its file, at its line", (id, file, line) => {
    expect(broken).toContainEqual(expect.objectContaining({ id, file, line }));
  });

  test("a script that never ends is ended, and told; a ruleset that did not load is missing", () => {
    expect(broken).toContainEqual(expect.objectContaining({ id: "ruleset-load", machine: "fw-2", certainty: "likely" }));
    expect(broken).toContainEqual(expect.objectContaining({ id: "ruleset-missing", machine: "fw-1" }));
  });
});
