import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Probe } from "../../lab/evidence/evidence.ts";
import { holdBridgePort } from "../../lab/host/bridgePort.ts";
import type { LearnedAddress } from "../../lab/host/bridges.ts";
import { labFolder } from "../../lab/host/labFolder.ts";
import { figuresOf, type FlowFigures } from "../../lab/judge/figures.ts";
import { TerminalProgress } from "../../lab/progress/terminal.ts";
import { folderKeeper } from "../../lab/report/keeper.ts";
import { LabRun } from "../../lab/run/labRun.ts";
import { fixturesFolder } from "../../lab/run/prepare.ts";
import { setRun } from "../../lab/run/runSetting.ts";
import { coldSuites } from "../../lab/run/startLab.ts";
import { primaryBackup } from "../../lab/topology/primaryBackup.ts";
import { machineSpec, nicOf, tapName } from "../../lab/topology/topology.ts";
import { mixedFlows } from "../../lab/traffic/flowSpec.ts";
import { pairHealth, type PairHealth } from "./pairHealth.ts";

const withinMs = 8 * 60_000;
const soakMs = 30_000;
const advertMs = 1_000;
/** Longer than a backup waits for adverts. */
const frozenMs = 6_000;
/**
 * Each node speaks within a second of its last word, and says with it how many words that was: what lay in a tap is told lost then, and not before. In milliseconds, with a margin for an emulated machine.
 * Source: conntrack-tools 1.4.7 src/sync-ftfw.c, do_alive_alarm.
 */
const heardMs = 3_000;
/** So long that a node's word falls into it. */
const cutMs = 2_500;

interface Seen {
  /** In the lab that is saved, just before; in the restored one at once, when each node has heard the other, and after the soak. */
  readonly saved: PairHealth;
  readonly atOnce: PairHealth;
  readonly heard: PairHealth;
  readonly soaked: PairHealth;
  readonly soakedMs: number;
  readonly flows: readonly FlowFigures[];
  readonly probe: Probe | undefined;
  readonly externalCache: string;
  /** The controls: nothing came to the backup from the active firewall for a while, and the latter stood still for longer than the backup waits. */
  readonly cut: PairHealth;
  readonly frozen: PairHealth;
  /** Of the client's agent, in milliseconds of its own clock: when the first lab was restored, when it ended, when the second was restored. */
  readonly agentClock: readonly [first: number, end: number, second: number];
}

/*
 *   saved ──┬─ restored ── 30 s ── fw-1 frozen
 *           └─ restored again
 */
describe("a lab is saved with fifty live flows, and restored", () => {
  let seen: Seen;

  beforeAll(async () => {
    using progress = new TerminalProgress({ write: (text) => process.stderr.write(text) });
    const signal = AbortSignal.timeout(withinMs);
    const folder = await mkdtemp(join(labFolder(), "live-"));
    const setting = await setRun({
      topology: primaryBackup,
      config: join(fixturesFolder, "omarine-snat"),
      fault: { id: "none", target: primaryBackup.active },
      accelerator: "auto",
      progress,
      signal,
    });
    const options = { ...setting, progress, signal };
    const { saved, live } = await savedLive({ ...options, keeper: folderKeeper(join(folder, "first")), cold: process.env[coldSuites] !== undefined, savable: true }, join(folder, "saved"));
    const restored = await soaked({ ...options, keeper: folderKeeper(join(folder, "second")) }, live);
    await using again = await LabRun.restore({ ...options, keeper: folderKeeper(join(folder, "third")) }, live);
    const second = await agentNow(again);
    seen = { saved, ...restored, agentClock: [...restored.agentClock, second] };
  }, withinMs + 30_000);

  test("the machines answer by SSH, and their clocks agree and keep the host's pace", () => {
    const ahead = Object.values(seen.atOnce.clocks);
    for (const one of ahead) for (const other of ahead) expect(Math.abs(one.aheadMs - other.aheadMs)).toBeLessThan(one.errorMs + other.errorMs + 100);
    for (const [name, { aheadMs, errorMs }] of Object.entries(seen.soaked.clocks)) {
      const before = seen.atOnce.clocks[name];
      expect(Math.abs(aheadMs - (before?.aheadMs ?? Number.NaN))).toBeLessThan(errorMs + (before?.errorMs ?? 0) + soakMs / 100);
    }
  });

  test("the bridges know at once what they had learned, and the neighbours where the virtual addresses are", () => {
    const placesOf = (learned: readonly LearnedAddress[]) => learned.map(({ bridge, mac, tap }) => `${bridge} ${mac} ${tap}`).sort();
    expect(seen.saved.learned.length).toBeGreaterThan(0);
    expect(placesOf(seen.atOnce.learned)).toEqual(expect.arrayContaining(placesOf(seen.saved.learned.filter(({ bridge }) => bridge !== "mgmt"))));
    for (const { address, nic, neighbour } of primaryBackup.virtualAddresses) {
      const owner = nicOf(machineSpec(primaryBackup, primaryBackup.active), nic).mac;
      for (const moment of [seen.saved, seen.atOnce, seen.soaked]) {
        expect(moment.neighbours[neighbour]).toContainEqual(expect.objectContaining({ address, mac: owner }));
      }
    }
  });

  test("nobody takes over in thirty seconds, and adverts come at their pace", () => {
    expect(transitions(seen.atOnce)).toEqual(transitions(seen.saved));
    expect(transitions(seen.soaked)).toEqual(transitions(seen.saved));
    const [before, after] = [seen.atOnce, seen.soaked].map(({ firewalls }) => firewalls["fw-2"]?.vrrp.map(({ stats }) => stats.advert_rcvd) ?? []);
    const expected = seen.soakedMs / advertMs;
    expect(after).toHaveLength(2);
    for (const [index, count] of (after ?? []).entries()) expect(Math.abs(count - (before?.[index] ?? Number.NaN) - expected)).toBeLessThanOrEqual(3);
  });

  test("the control: when fw-1 stands still for longer than fw-2 waits, the same look tells a takeover", () => {
    expect(transitions(seen.frozen)).not.toEqual(transitions(seen.saved));
    expect(seen.frozen.firewalls["fw-2"]?.vrrp.map(({ stats }) => stats.become_master)).toEqual([1, 1]);
  });

  test("states are replicated: a connection made after the restore is on fw-2, and nothing was malformed or lost", () => {
    expect(seen.probe?.outcome).toBe("answered");
    expect(seen.externalCache).toMatch(new RegExp(`sport=${seen.probe?.sourcePorts[0] ?? "none"} `, "u"));
    for (const [name, { conntrackd }] of Object.entries(seen.soaked.firewalls)) {
      expect(conntrackd).toMatchObject({ malformed: 0, sendErrors: 0, receiveErrors: 0, external: { createFailed: 0, updateFailed: 0 } });
      // What was lost before the lab was saved, and sent again, is not the restore's doing.
      const [before, heard, soaked] = [seen.saved, seen.heard, seen.soaked].map(({ firewalls }) => firewalls[name]?.conntrackd.lost);
      expect([heard, soaked]).toEqual([before, before]);
    }
    const received = ({ firewalls }: PairHealth) => firewalls["fw-2"]?.conntrackd.receivedPackets ?? Number.NaN;
    expect(received(seen.soaked)).toBeGreaterThan(received(seen.atOnce));
  });

  test("the control: when what replication sends is cut off for a while, the same look tells messages lost", () => {
    for (const name of [primaryBackup.active, primaryBackup.backup]) expect(seen.cut.firewalls[name]?.conntrackd.lost).toBeGreaterThan(seen.soaked.firewalls[name]?.conntrackd.lost ?? Number.NaN);
  });

  test("no flow is lost, and the ledgers are whole: nothing lost, doubled, reordered or corrupt since the flows were opened", () => {
    expect(seen.flows).toHaveLength(50);
    for (const { flow, directions, errors } of seen.flows) {
      expect({ id: flow.id, errors, faults: directions.map(({ lost, duplicatedAt, reorderedAt, corrupt }) => [lost.length, duplicatedAt.length, reorderedAt.length, corrupt]) }).toEqual({
        id: flow.id,
        errors: [],
        faults: [
          [0, 0, 0, 0],
          [0, 0, 0, 0],
        ],
      });
    }
    const [restored, end] = seen.agentClock;
    const typed = seen.flows.flatMap(({ flow }) => flow.forward.sent.atMs);
    expect(typed.filter((atMs) => atMs < restored).length).toBeGreaterThan(0);
    expect(typed.filter((atMs) => atMs > restored && atMs < end).length).toBeGreaterThan(0);
  });

  test("it can be restored again, to the very same instant", () => {
    const [first, end, second] = seen.agentClock;
    expect(end - first).toBeGreaterThan(soakMs);
    expect(Math.abs(second - first)).toBeLessThan(soakMs / 2);
  });
});

async function savedLive(options: Parameters<typeof LabRun.start>[0], folder: string) {
  await mkdir(folder);
  await using run = await LabRun.start(options);
  await run.ownedBy(primaryBackup.active);
  await run.open(mixedFlows(50));
  await run.replicatedTo(primaryBackup.backup);
  // keepalived announces the addresses a second time after 5 s.
  await run.wait(6_000);
  const saved = await pairHealth(run);
  return { saved, live: await run.save(folder) };
}

async function soaked(options: Parameters<typeof LabRun.restore>[0], live: Parameters<typeof LabRun.restore>[1]) {
  await using run = await LabRun.restore(options, live);
  const first = await agentNow(run);
  const atOnce = await pairHealth(run);
  const begin = performance.now();
  await run.wait(heardMs);
  const heard = await pairHealth(run);
  await run.wait(soakMs - heardMs);
  const soaked = await pairHealth(run);
  const soakedMs = performance.now() - begin;
  const probe = (await run.ask("after")).find(({ id }) => id === "allowed-service");
  const externalCache = await run.machine(primaryBackup.backup).shell.must("conntrackd -e", { signal: run.signal });
  await run.collect();
  const { flows, clocks } = run.evidence();
  const end = await agentNow(run);
  const cut = await afterCut(run);
  await run.machine(primaryBackup.active).pause();
  await run.wait(frozenMs);
  await run.machine(primaryBackup.active).resume();
  await run.wait(2 * advertMs);
  const frozen = await pairHealth(run);
  return { atOnce, heard, soaked, soakedMs, flows: figuresOf(flows, clocks), probe, externalCache, cut, frozen, agentClock: [first, end] as const };
}

/** The pair, when the link of its replication was down for a while and each node has heard the other again. */
async function afterCut(run: LabRun): Promise<PairHealth> {
  const backup = machineSpec(primaryBackup, primaryBackup.backup);
  await using port = await holdBridgePort(tapName(backup, nicOf(backup, "eth2")));
  await port.set("shut");
  await run.wait(cutMs);
  await port.set("open");
  await run.wait(heardMs);
  return await pairHealth(run);
}

/** How often each instance of each firewall became master, and gave up being it. */
function transitions({ firewalls }: PairHealth): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(firewalls).map(([name, { vrrp }]) => [name, vrrp.map(({ data, stats }) => `${data.iname}: state ${data.state}, became master ${stats.become_master}, released ${stats.release_master}`)]),
  );
}

/** The clock of the client's agent, which stands still while the lab is saved. */
async function agentNow(run: LabRun): Promise<number> {
  await run.measureClocks();
  const { offsetMs, measuredAtMs } = run.evidence().clocks.findLast(({ clock }) => clock === primaryBackup.client) ?? { offsetMs: Number.NaN, measuredAtMs: Number.NaN };
  return measuredAtMs - offsetMs;
}
