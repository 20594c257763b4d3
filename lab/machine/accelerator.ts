import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import type { Progress } from "../progress/progress.ts";
import { bootBareKernel } from "./bareKernel.ts";
import type { Accelerator, BootFiles } from "./qemuArguments.ts";

export type AcceleratorWish = "auto" | Accelerator;

/** The accelerator a run uses, and why, in words for the output and the bundle. */
export interface AcceleratorChoice {
  readonly accelerator: Accelerator;
  readonly reason: string;
}

/** A kernel under KVM reaches its first process in a second or two; one that hangs never does. */
const trialMs = 8_000;
const kvmDevice = "/dev/kvm";

const memorySchema = z.object({ works: z.boolean(), reason: z.string() });
type TrialAnswer = z.infer<typeof memorySchema>;

export interface TrialOptions {
  readonly wish: AcceleratorWish;
  readonly boot: BootFiles;
  /** Identity of the guest image: another kernel is tried anew. */
  readonly imageId: string;
  readonly qemuVersion: string;
  readonly cacheFolder: string;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
}

/** Boots the guest's kernel under KVM to its first process. */
async function tryKvm({ boot, signal }: TrialOptions): Promise<TrialAnswer> {
  const { reachedFirstProcess, tookMs, timedOut, complaint } = await bootBareKernel({ accelerator: "kvm", boot, within: trialMs, ...(signal && { signal }) });
  if (reachedFirstProcess) return { works: true, reason: `the guest's kernel boots under KVM (${Math.round(tookMs)} ms)` };
  return {
    works: false,
    reason: timedOut
      ? `${kvmDevice} opens, but the guest's kernel did not reach its first process under KVM within ${trialMs / 1000} s`
      : `QEMU with KVM ended before the guest's first process: ${complaint || "no message"}`,
  };
}

/** What an earlier trial found, unless there was none or its record is damaged. */
async function remembered(memory: string, progress: Progress): Promise<TrialAnswer | undefined> {
  try {
    return memorySchema.parse(JSON.parse(await readFile(memory, "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") progress.note(`accelerator: ${memory} is unreadable, trying again: ${messageOf(error)}`);
    return undefined;
  }
}

/** The remembered or fresh answer to: does this kernel boot under KVM on this host? */
async function kvmTrial(options: TrialOptions): Promise<TrialAnswer> {
  const host = [release(), cpus()[0]?.model ?? "", options.qemuVersion, options.imageId].join("\n");
  const memory = join(options.cacheFolder, "accelerator", `${createHash("sha256").update(host).digest("hex").slice(0, 16)}.json`);
  // Whoever demands KVM has perhaps just mended it.
  const known = options.wish === "kvm" ? undefined : await remembered(memory, options.progress);
  if (known !== undefined) return { works: known.works, reason: `${known.reason} (tried before on this host)` };
  using step = options.progress.step("try KVM with the guest's kernel");
  const answer = await tryKvm(options);
  await mkdir(join(options.cacheFolder, "accelerator"), { recursive: true, mode: 0o700 });
  await writeFile(`${memory}.${process.pid}`, JSON.stringify(answer));
  await rename(`${memory}.${process.pid}`, memory);
  step.done(answer.reason);
  return answer;
}

/**
 * The accelerator for this host and kernel, by trial and not by the presence of a device: where KVM does not boot the guest's kernel,
 * machines are emulated. @throws Failure when KVM was demanded and does not work.
 */
export async function chooseAccelerator(options: TrialOptions): Promise<AcceleratorChoice> {
  if (options.wish === "tcg") return { accelerator: "tcg", reason: "asked for by --accel tcg" };
  let answer: TrialAnswer;
  try {
    await access(kvmDevice, constants.R_OK | constants.W_OK);
    answer = await kvmTrial(options);
  } catch (error) {
    if (options.signal?.aborted === true || (error as NodeJS.ErrnoException).path !== kvmDevice) throw error;
    answer = { works: false, reason: `${kvmDevice} does not open (${(error as NodeJS.ErrnoException).code ?? messageOf(error)})` };
  }
  if (answer.works) return { accelerator: "kvm", reason: answer.reason };
  if (options.wish === "kvm") {
    throw new Failure({
      tried: "use KVM, as --accel kvm demands",
      seen: answer.reason,
      remedy: "Mend KVM on this host, or use --accel auto or tcg",
      exit: exitCode.usage,
    });
  }
  return { accelerator: "tcg", reason: answer.reason };
}
