import { execa } from "execa";
import { exitCode, Failure } from "../failure/failure.ts";
import { bareKernelArguments, qemuProgram, type Accelerator, type BootFiles } from "./qemuArguments.ts";

/** What the initramfs says as its first word. */
export const firstProcessMark = "fwlab: first process";

export interface BareKernelOptions {
  readonly accelerator: Accelerator;
  readonly boot: BootFiles;
  /** Milliseconds until it is ended. */
  readonly within: number;
  readonly signal?: AbortSignal;
}

/** What became of a bare kernel. */
export interface BareKernelBoot {
  readonly reachedFirstProcess: boolean;
  /** From QEMU's start to the first process, or to the end. Milliseconds. */
  readonly tookMs: number;
  readonly timedOut: boolean;
  /** QEMU's last word on stderr. */
  readonly complaint: string;
}

/** Boots the guest's kernel and initramfs, and nothing else, to its first process. */
export async function bootBareKernel({ accelerator, boot, within, signal }: BareKernelOptions): Promise<BareKernelBoot> {
  const begin = performance.now();
  const deadline = AbortSignal.timeout(within);
  const qemu = execa("setpriv", ["--pdeathsig", "KILL", qemuProgram, ...bareKernelArguments(accelerator, boot)], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    reject: false,
    cancelSignal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    killSignal: "SIGKILL",
  });
  let console = "";
  let reachedMs: number | undefined;
  qemu.stdout.on("data", (chunk: Buffer) => {
    console += chunk.toString("latin1");
    if (reachedMs === undefined && console.includes(firstProcessMark)) reachedMs = performance.now() - begin;
  });
  const { stderr } = await qemu;
  signal?.throwIfAborted();
  return {
    reachedFirstProcess: reachedMs !== undefined,
    tookMs: reachedMs ?? performance.now() - begin,
    timedOut: deadline.aborted,
    complaint: stderr.trim().split("\n").at(-1) ?? "",
  };
}

/**
 * Boots several bare kernels side by side. @returns milliseconds until the last one had reached its first process.
 * @throws Failure when one does not reach it.
 */
export async function bootBareKernels(count: number, options: BareKernelOptions): Promise<number> {
  const boots = await Promise.all(Array.from({ length: count }, () => bootBareKernel(options)));
  const stuck = boots.find((boot) => !boot.reachedFirstProcess);
  if (stuck !== undefined) {
    throw new Failure({
      tried: `boot ${count} bare kernels side by side`,
      seen: stuck.timedOut ? `one had no first process after ${options.within / 1000} s` : stuck.complaint,
      remedy: "Look at QEMU's message, or at what else this host is doing",
      exit: exitCode.invalid,
    });
  }
  return Math.max(...boots.map((boot) => boot.tookMs));
}
