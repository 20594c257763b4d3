import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, expect } from "vitest";
import { placeOf, type LabPlace } from "../../lab/hand/place.ts";
import { labStatusSchema, type LabStatus } from "../../lab/hand/words.ts";
import { coldSuites } from "../../lab/run/startLab.ts";
import { repository } from "../lifecycle/command.ts";

/** What somebody types, and what is seen then. */
export interface Hand {
  readonly place: LabPlace;
  /** Runs a verb on the lab; what comes after -- is for a machine's shell. */
  readonly fwlab: (words: readonly string[], options?: { readonly input?: string; readonly timeout?: number }) => Promise<{ readonly exitCode?: number | undefined; readonly stdout: string; readonly stderr: string }>;
  readonly statusNow: () => Promise<LabStatus>;
  /** Looks until the lab is as it is waited for. @throws what the last look failed by. */
  readonly untilStatus: (expected: (status: LabStatus) => void) => Promise<void>;
}

/** Brings a lab up by hand before the tests of this block, and takes it down after them. @param more of `fwlab up`'s options. */
export function standing(flows: number, more: readonly string[] = []): Hand {
  // Each namespace counts its processes from 1: a process's number would name another suite's lab in the same cache.
  const place = placeOf(`suite-${randomBytes(4).toString("hex")}`);
  const fwlab: Hand["fwlab"] = async (words, options = {}) => {
    const dashes = words.indexOf("--");
    const [own, forShell] = dashes < 0 ? [words, []] : [words.slice(0, dashes), words.slice(dashes)];
    const result = await execa("node", ["scripts/bootstrap.mjs", ...own, "--lab", place.name, ...forShell], { cwd: repository, reject: false, timeout: 120_000, ...(options.input === undefined ? { stdin: "ignore" as const } : {}), ...options });
    // One that is ended by the timeout leaves as one that is interrupted, which some verbs are well with.
    if (result.timedOut) throw new Error(`fwlab ${words.join(" ")} has not ended in time; it said: ${result.stdout}\n${result.stderr}`);
    return result;
  };
  const statusNow = async (): Promise<LabStatus> => {
    const { stdout, stderr, exitCode } = await fwlab(["status", "--json"]);
    expect(exitCode, stderr).toBe(0);
    return labStatusSchema.parse(JSON.parse(stdout));
  };
  const untilStatus: Hand["untilStatus"] = async (expected) => {
    const deadlineMs = Date.now() + 40_000;
    for (;;) {
      const status = await statusNow();
      try {
        expected(status);
        return;
      } catch (error) {
        if (Date.now() > deadlineMs) throw error;
        await delay(500);
      }
    }
  };
  beforeAll(async () => {
    const { exitCode, stdout, stderr } = await fwlab(["up", "--flows", String(flows), ...more, ...(process.env[coldSuites] === undefined ? [] : ["--cold"])], { timeout: 500_000 });
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
    await untilStatus((status) => {
      expect(holds(status, "fw-1")).toEqual(bothAddresses);
      expect(status.flows?.still ?? []).toEqual([]);
    });
  }, 600_000);
  afterAll(async () => {
    await fwlab(["down"]);
  });
  return { place, fwlab, statusNow, untilStatus };
}

export const bothAddresses = ["192.168.1.100", "192.168.0.100"];

/** Of the virtual addresses, those that a firewall holds. */
export function holds({ machines }: LabStatus, name: string): readonly string[] | undefined {
  return machines.find((each) => each.name === name)?.firewall?.holds;
}

/** Processes that have the lab's folder among their arguments, as its machines have: with their arguments. */
export async function processesOf({ folder }: Pick<LabPlace, "folder">): Promise<{ readonly pid: number; readonly commandLine: string }[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/u.test(entry)).map(Number);
  // One that ends meanwhile is none of the lab's.
  const all = await Promise.all(pids.map(async (pid) => ({ pid, commandLine: await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "") })));
  return all.filter(({ commandLine }) => commandLine.includes(folder));
}
