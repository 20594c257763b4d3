import { rename, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { exitCode, Failure } from "../failure/failure.ts";
import { absent } from "../image/manifest.ts";
import type { Qmp } from "./qmp.ts";

/** QEMU's qapi/migration.json and qapi/run-state.json, as far as they are read here. */
const migrationSchema = z.object({ status: z.string().optional(), "error-desc": z.string().optional() });
const runStateSchema = z.object({ status: z.string() });

const pollMs = 5;
const withinMs = 60_000;

/** Memory that is in a shared file stays there: only the devices' state is written or read (docs/vm-templating.rst of QEMU). */
async function leaveMemoryOut(qmp: Qmp): Promise<void> {
  await qmp.execute("migrate-set-capabilities", { capabilities: [{ capability: "x-ignore-shared", state: true }] });
}

/**
 * Writes the state of a paused machine's devices, about half a megabyte, to a file: there whole, or not at all.
 * @throws Failure when QEMU cannot, or is not done within a minute; the signal's reason.
 */
export async function saveDeviceState(qmp: Qmp, machine: string, file: string, signal?: AbortSignal): Promise<void> {
  const unfinished = `${file}.unfinished`;
  const written = `${file}.written`;
  await leaveMemoryOut(qmp);
  // QEMU calls the migration complete before the last bytes have left the pipe; the shell knows when they have.
  await qmp.execute("migrate", { uri: `exec:cat > ${quoted(unfinished)} && mv ${quoted(unfinished)} ${quoted(written)}` });
  await until(`save the devices of ${machine}`, signal, async () => {
    const { status, "error-desc": why } = migrationSchema.parse(await qmp.execute("query-migrate"));
    if (status === "failed" || status === "cancelled") throw migrationFailure(`save the devices of ${machine} to ${file}`, why ?? `QEMU says ${status}`);
    return { reached: status === "completed" && (await stat(written).catch(absent)) !== undefined, seen: `migration is ${status ?? "not begun"}` };
  });
  await rename(written, file);
}

/**
 * Reads the state that `saveDeviceState` wrote into a QEMU that waits for it. The machine is paused then.
 * @throws Failure when QEMU does not take it, or is not done within a minute; the signal's reason.
 */
export async function loadDeviceState(qmp: Qmp, machine: string, file: string, signal?: AbortSignal): Promise<void> {
  await leaveMemoryOut(qmp);
  await qmp.execute("migrate-incoming", { uri: `exec:cat ${quoted(file)}` });
  await until(`load the devices of ${machine}`, signal, async () => {
    const status = await runState(qmp);
    if (status === "running") throw migrationFailure(`load the devices of ${machine} from ${file}`, "the machine ran on by itself: it was not paused when it was saved");
    return { reached: status !== "inmigrate", seen: `the machine is ${status}` };
  });
}

/** What QEMU says that a machine does: `running`, `paused`, `inmigrate` and more. @throws Failure when QEMU does not answer. Source: QEMU qapi/run-state.json. */
export async function runState(qmp: Qmp): Promise<string> {
  return runStateSchema.parse(await qmp.execute("query-status")).status;
}

async function until(tried: string, signal: AbortSignal | undefined, look: () => Promise<{ readonly reached: boolean; readonly seen: string }>): Promise<void> {
  const begin = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const { reached, seen } = await look();
    if (reached) return;
    if (performance.now() - begin > withinMs) throw migrationFailure(tried, `${seen} after ${withinMs / 1000} s`);
    await delay(pollMs, undefined, signal ? { signal } : {});
  }
}

function migrationFailure(tried: string, seen: string): Failure {
  return new Failure({ tried, seen, remedy: "Look at QEMU's stderr, and whether the disk is full", exit: exitCode.invalid });
}

/** A path as one word of a POSIX shell. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}
