import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FollowEnd, FollowingShell } from "../machine/shell.ts";
import type { Progress } from "../progress/progress.ts";
import type { Keeper } from "../report/keeper.ts";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { LabEvents } from "./labEvents.ts";

/** A machine that is as far behind the host as said, tells of an address at once, and has this in its journal. */
function machine(name: string, { behindMs = 0, journal = "", broken = false }: { behindMs?: number; journal?: string; broken?: boolean } = {}) {
  const asked: string[] = [];
  const shell: FollowingShell = {
    name,
    address: "10.99.0.12",
    run: () => Promise.reject(new Error("not used")),
    must: (command) => {
      asked.push(command);
      return broken ? Promise.reject(new Error("no answer")) : Promise.resolve(journal);
    },
    follow: (command, { onLine }) => {
      if (broken) return Promise.reject(new Error("no channel"));
      if (command.includes("monitor address")) onLine("[2026-11-20T22:26:04.269865] 3: eth1    inet 192.168.0.100/24 scope global secondary eth1\\       valid_lft forever");
      const write = () => void setTimeout(() => onLine(((Date.now() - behindMs) / 1000).toFixed(6)), 1);
      return Promise.resolve({ ended: new Promise<FollowEnd>(() => undefined), write, [Symbol.asyncDispose]: () => Promise.resolve() });
    },
  };
  return { shell, asked };
}

const master = JSON.stringify({ __REALTIME_TIMESTAMP: "1795213564264243", SYSLOG_IDENTIFIER: "Keepalived_vrrp", _PID: "163", MESSAGE: "(inside) Entering MASTER STATE" });

describe("what a lab tells of itself", () => {
  const files = new Map<string, string>();
  const notes: string[] = [];
  let events: LabEvents;
  beforeEach(() => {
    files.clear();
    notes.length = 0;
    const unused = () => {
      throw new Error("not used");
    };
    const progress: Progress = { note: (line) => void notes.push(line), step: unused };
    const save: Keeper["save"] = async (path, content) => {
      files.set(path, typeof content === "string" || content instanceof Uint8Array ? content.toString() : await text(content));
    };
    const keeper: Keeper = { folder: "/nowhere", save };
    events = new LabEvents({ topology: primaryBackup, keeper, progress, signal: new AbortController().signal });
  });
  afterEach(() => events[Symbol.asyncDispose]());

  test("each machine's clock is measured at each look, and one that was switched on again has another clock", async () => {
    const { shell } = machine("fw-1", { behindMs: 60_000 });
    await events.follow([{ shell, powerOn: 1 }]);
    await events.follow([{ shell, powerOn: 1 }]);
    await events.follow([{ shell, powerOn: 2 }]);
    expect(events.clocks.map(({ clock }) => clock)).toEqual(["fw-1/realtime", "fw-1/realtime", "fw-1#2/realtime"]);
    for (const { offsetMs, errorMs } of events.clocks) expect(Math.abs(offsetMs - 60_000)).toBeLessThanOrEqual(errorMs + 1);
  });

  test("an address is told once, with a file that holds it; the next power-on has a file of its own", async () => {
    const { shell } = machine("fw-2");
    for (const powerOn of [1, 1, 2]) await events.follow([{ shell, powerOn }]);
    await events.keep();
    const told = events.events();
    expect(told.map(({ kind, clock, source }) => [kind, clock, source])).toEqual([["address", "fw-2/realtime", "events/fw-2.addresses.txt"], ["address", "fw-2#2/realtime", "events/fw-2-2.addresses.txt"]]);
    for (const { source } of told) expect(files.get(source)).toContain("192.168.0.100/24");
  });

  test("the journal is asked from the first look on, by the machine's own time, and counts each word once; a later boot is asked for as a whole", async () => {
    const { shell, asked } = machine("fw-2", { behindMs: 60_000, journal: `${master}\n` });
    const before = Date.now();
    await events.follow([{ shell, powerOn: 1 }]);
    await events.read("failover-before", [{ shell, powerOn: 1 }]);
    await events.read("failover-after", [{ shell, powerOn: 1 }]);
    const sinceMs = Number(/--since=@([\d.]+)/u.exec(asked[0] ?? "")?.[1]) * 1000;
    expect(Math.abs(sinceMs - (before - 60_000))).toBeLessThan(1_000);
    expect(events.events().filter(({ kind }) => kind === "vrrp-state")).toEqual([expect.objectContaining({ source: "journals/failover-before/fw-2.jsonl", clock: "fw-2/realtime" })]);
    expect(files.get("journals/failover-after/fw-2.jsonl")).toBe(`${master}\n`);
    await events.follow([{ shell, powerOn: 2 }]);
    await events.read("failback-before", [{ shell, powerOn: 2 }]);
    expect(asked.at(-1)).not.toContain("--since");
  });

  test("a machine that cannot tell harms nobody: it is noted, and the others are told", async () => {
    const [dumb, other] = [machine("fw-1", { broken: true }), machine("fw-2", { journal: "no JSON\n" })];
    const machines = [{ shell: dumb.shell, powerOn: 1 }, { shell: other.shell, powerOn: 1 }];
    await events.follow(machines);
    await events.read("failover-before", machines);
    expect(notes.map((note) => /cannot ([\w' ]+)/u.exec(note)?.[1])).toEqual(expect.arrayContaining(["measure fw", "follow the addresses of fw", "read the daemons' journal of fw"]));
    expect(events.events().map(({ where, kind }) => [where, kind])).toEqual([["fw-2", "address"]]);
  });
});
