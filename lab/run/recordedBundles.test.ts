import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Evidence } from "../evidence/evidence.ts";
import type { FlowLedger } from "../evidence/ledger.ts";
import type { Packet } from "../evidence/packet.ts";
import type { Verdict } from "../evidence/run.ts";
import { judge } from "../judge/judge.ts";
import { machineTrees } from "../machine/configTree.ts";
import { keepConfig } from "../machine/keptConfig.ts";
import { compareRuns } from "../report/differences.ts";
import { readBundle, readRun, readRunAsWritten } from "../report/readBundle.ts";
import { judgeAgain, type JudgedAgain } from "./judgeAgain.ts";
import { packetsOf } from "./packetsOf.ts";
import { fixturesFolder } from "./prepare.ts";

/*
 * Bundles of real runs, cut down to what is judged. When a check was mended on purpose, `npm run record -- --again` writes what they are judged to
 * now; the change is then to be read in the diff. `npm run record -- BUNDLE NAME` keeps another run.
 */
const folder = join(fixturesFolder, "bundles");
const { signal } = new AbortController();
/** A capture is decoded within a second or two, on a host that does nothing else. */
const busyHostMs = 60_000;
const captured = "captures/lab.pcapng.gz";

/** What each of them is for. */
const expected: Readonly<Record<string, { readonly verdict: Verdict; readonly failing?: readonly string[]; readonly reason?: RegExp }>> = {
  pass: { verdict: "pass" },
  "no-conntrackd": { verdict: "fail", failing: ["flows-survive (failover)", "no-drops-on-survivor (failover)", "replicated-before (failover)", "state-on-survivor (failover)"] },
  "sandwich-cut": { verdict: "pass" },
  interrupted: { verdict: "invalid", reason: /did not come to its end: interrupted by SIG/u },
};

test("all recorded bundles are known", async () => expect((await readdir(folder)).toSorted()).toEqual(Object.keys(expected).toSorted()));

describe.each(Object.entries(expected))("the recorded run %s", (name, { verdict, failing = [], reason = /./u }) => {
  let again: JudgedAgain;
  beforeAll(async () => {
    again = await judgeAgain(join(folder, name), signal);
  }, busyHostMs);

  test("is judged to what it was recorded with, wholly", async () => {
    expect(again.differences).toEqual([]);
    expect(again.run).toEqual(await readRun(join(folder, name)));
  });

  test(`is ${verdict}, and by nothing else than what it was made for`, () => {
    expect(again.run).toMatchObject({ verdict, reason: expect.stringMatching(reason) as string });
    const wrong = again.run.checks.filter((check) => check.verdict !== "pass").map(({ id, phase }) => `${id} (${phase})`);
    for (const check of failing) expect(wrong).toContain(check);
    if (verdict === "pass") expect([wrong, again.run.checks.length]).toEqual([[], expect.any(Number)]);
  });
});

/** Each breaks the run that passes, by its files; the check that has to see it. */
const controls: [string, string, (bundle: string) => Promise<void>][] = [
  ["records that a flow never got", "flows-survive (failover)", (bundle) => onLedger(bundle, ({ forward: { received } }) => [received.seq, received.atMs].forEach((column) => column.splice(Math.floor(column.length / 2), 3)))],
  ["a reset after the way back", "flows-survive (failback)", (bundle) => onLedger(bundle, ({ errors, forward: { sent } }) => errors.push({ clock: sent.clock, atMs: sent.atMs.at(-1) ?? 0, code: "ECONNRESET", message: "reset" }))],
  ["a state that is not in the survivor's table", "state-on-survivor (failover)", (bundle) => onEvidence(bundle, ({ transitions: [transition] }) => remove(transition?.after.firewalls["fw-2"]?.conntrack))],
  ["a state that was never replicated", "replicated-before (failover)", (bundle) => onEvidence(bundle, ({ transitions: [transition] }) => remove(transition?.before.firewalls["fw-2"]?.externalCache))],
  ["a virtual address that stayed away", "vips-moved (failover)", (bundle) => onEvidence(bundle, ({ transitions: [transition] }) => remove(transition?.after.firewalls["fw-2"]?.addresses))],
  ["a fault without effect", "fault-bit (failover)", (bundle) => onEvidence(bundle, ({ transitions: [transition] }) => transition && (transition.fault.effect.bit = false))],
  ["a host that was starved", "host-health (run)", (bundle) => onEvidence(bundle, ({ hostHealth }) => (hostHealth.worstTimerDelayMs = 60_000))],
  ["a bridge that was not captured", "capture-whole (run)", (bundle) => onEvidence(bundle, ({ capture }) => capture !== "off" && capture?.points.splice(0, 1))],
  ["a packet that the kernel lost", "capture-whole (run)", (bundle) => onEvidence(bundle, ({ capture }) => capture !== "off" && capture?.points.forEach((point) => (point.dropped = 1)))],
  ["a forged segment that got through", "new-connections (failover)", (bundle) => onEvidence(bundle, ({ transitions: [transition] }) => transition?.probes.filter(({ id }) => id === "forged-ack").forEach((probe) => (probe.packetsThrough = 1)))],
];

describe("the run that passes, broken", () => {
  let copies: string;
  let packets: Awaited<ReturnType<typeof packetsOf>>;
  beforeAll(async () => {
    copies = await mkdtemp(join(tmpdir(), "fwlab-recorded-"));
  });
  afterAll(() => rm(copies, { recursive: true }));

  test.each(controls)("%s", async (name, check, damage) => {
    const bundle = join(copies, name.replaceAll(/\W/gu, "-"));
    await cp(join(folder, "pass"), bundle, { recursive: true });
    await damage(bundle);
    // Decoding takes most of the time: a capture that is as it was is decoded once for all.
    const recorded = await readRun(bundle);
    packets ??= await packetsOf(join(folder, "pass"), recorded, signal);
    const run = { ...recorded, ...judge(await readBundle(bundle), { packets }) };
    const { differences } = compareRuns(await readRunAsWritten(bundle), run);
    expect(run.verdict).not.toBe("pass");
    expect(run.checks.filter(({ verdict }) => verdict !== "pass").map(({ id, phase }) => `${id} (${phase})`)).toContain(check);
    expect(differences.map(({ what }) => what)).toEqual(expect.arrayContaining(["verdict", "reason", `checks ${check} verdict`]));
  }, busyHostMs);

  test("packets that fw-2 took in and let out by no tap are drops of its", async () => {
    const all = (packets ??= await packetsOf(join(folder, "pass"), await readRun(join(folder, "pass")), signal)) ?? [];
    const out = ({ point, body }: Packet) => point === "fw-2.eth0" && body.kind === "tcp" && body.destinationPort === 7 && body.payloadBytes > 0;
    const { checks } = judge(await readBundle(join(folder, "pass")), { packets: all.filter((packet) => !out(packet)) });
    expect(checks.find(({ id, phase }) => id === "no-drops-on-survivor" && phase === "failover")).toMatchObject({ verdict: "fail" });
  });

  test("a capture that lacks packets which were captured is refused", async () => {
    const bundle = join(copies, "lacking");
    await cp(join(folder, "pass"), bundle, { recursive: true });
    const left = join(bundle, "left.pcapng");
    await execa("editcap", ["-F", "pcapng", join(bundle, captured), left, "20000-20100"], { stdin: "ignore" });
    await writeFile(join(bundle, captured), gzipSync(await readFile(left), { level: 1 }));
    await expect(judgeAgain(bundle, signal)).rejects.toThrow(/it holds \d+ packets of .*, and \d+ were captured/u);
  }, busyHostMs);
});

describe("the sandwich's run that passes, broken", () => {
  let copies: string;
  beforeAll(async () => {
    copies = await mkdtemp(join(tmpdir(), "fwlab-recorded-"));
  });
  afterAll(() => rm(copies, { recursive: true }));
  const copyOf = async (name: string): Promise<string> => {
    const bundle = join(copies, name);
    await cp(join(folder, "sandwich-cut"), bundle, { recursive: true });
    return bundle;
  };
  const failing = async (bundle: string): Promise<string[]> => (await judgeAgain(bundle, signal)).run.checks.filter(({ verdict }) => verdict !== "pass").map(({ id, phase }) => `${id} (${phase})`);

  test("records that a flow never got", async () => {
    const bundle = await copyOf("lost");
    for (const ledger of (await readdir(join(bundle, "ledgers"))).map((name) => `ledgers/${name}`)) {
      await onJson(join(bundle, ledger), (value) => [(value as FlowLedger).forward.received, (value as FlowLedger).reverse.received].forEach(({ seq, atMs }) => [seq, atMs].forEach((column) => column.splice(Math.floor(column.length / 2)))));
    }
    expect(await failing(bundle)).toEqual(expect.arrayContaining(["flows-survive (failover)", "spared-unharmed (failover)"]));
  }, busyHostMs);

  test("a request that was reset, and a packet that the kernel lost", async () => {
    const bundle = await copyOf("reset");
    await onEvidence(bundle, ({ acts: [act] = [], capture }) => {
      if (act === undefined || capture === undefined || capture === "off") throw new Error("the recorded run has no act, or no capture");
      act.load.requests.outcome[0] = "reset";
      capture.points.forEach((point) => (point.dropped = 1));
    });
    expect(await failing(bundle)).toEqual(expect.arrayContaining(["requests-answered (run)", "capture-whole (run)"]));
  }, busyHostMs);

  test("its config tree is looked at, as it is a topology that is known", async () => {
    const bundle = await copyOf("config");
    await keepConfig(bundle, await machineTrees([join(fixturesFolder, "omarine-snat")], ["fw-1", "fw-2"]));
    expect((await judgeAgain(bundle, signal)).config).toMatchObject({ state: "other" });
  }, busyHostMs);
});

async function onLedger(bundle: string, change: (ledger: FlowLedger) => unknown): Promise<void> {
  await onJson(join(bundle, "ledgers/tcp-001.json"), (value) => change(value as FlowLedger));
}

async function onEvidence(bundle: string, change: (evidence: Evidence) => unknown): Promise<void> {
  await onJson(join(bundle, "evidence.json"), (value) => change(value as Evidence));
}

/** The judge's reader checks the form of what this leaves. */
async function onJson(path: string, change: (value: unknown) => unknown): Promise<void> {
  const value: unknown = JSON.parse(await readFile(path, "utf8"));
  change(value);
  await writeFile(path, JSON.stringify(value));
}

/** Leaves nothing of what a look saw. */
function remove(look: { ok: true; data: unknown[] } | { ok: false } | undefined): void {
  if (look?.ok !== true || look.data.length === 0) throw new Error("the recorded run has nothing there to remove");
  look.data.length = 0;
}
