import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { messageOf } from "../failure/failure.ts";
import { bootBareKernel } from "../machine/bareKernel.ts";
import type { BootFiles } from "../machine/qemuArguments.ts";
import { partOf, type HostPart } from "./part.ts";

const device = "/dev/kvm";
/** As long as a run gives it. */
const trialMs = 8_000;

export type KvmTrial =
  | { readonly opens: false; readonly code: string }
  /** Undefined where there is no guest image yet to try it with. */
  | { readonly opens: true; readonly boots: { readonly reached: boolean; readonly seen: string } | undefined };

/** Opens /dev/kvm, and boots the guest's kernel under it to its first process. */
export async function tryKvm(boot: BootFiles | undefined, signal?: AbortSignal): Promise<KvmTrial> {
  try {
    await access(device, constants.R_OK | constants.W_OK);
  } catch (error) {
    return { opens: false, code: (error as NodeJS.ErrnoException).code ?? messageOf(error) };
  }
  if (boot === undefined) return { opens: true, boots: undefined };
  const { reachedFirstProcess: reached, tookMs, timedOut, complaint } = await bootBareKernel({ accelerator: "kvm", boot, within: trialMs, ...(signal && { signal }) });
  return { opens: true, boots: { reached, seen: reached ? `the guest's kernel boots under it in ${Math.round(tookMs)} ms` : timedOut ? `the guest's kernel did not reach its first process within ${trialMs / 1000} s` : complaint || "QEMU ended without a word" } };
}

/** The processor's own virtualisation, by the flags in /proc/cpuinfo: Intel's, AMD's, or none that this host is shown. */
export async function virtualisation(): Promise<"intel" | "amd" | undefined> {
  const flags = /^flags\s*:(.*)$/mu.exec(await readFile("/proc/cpuinfo", "utf8"))?.[1]?.split(/\s+/u) ?? [];
  return flags.includes("vmx") ? "intel" : flags.includes("svm") ? "amd" : undefined;
}

/** Judges the trial. */
export function kvmPart(trial: KvmTrial, processor: "intel" | "amd" | undefined): HostPart {
  const kvm = (found: Pick<HostPart, "state" | "seen" | "mend">) => partOf("KVM", "machines are emulated, and many times slower: minutes instead of seconds", found);
  if (!trial.opens) {
    if (trial.code === "ENOENT") {
      return kvm({ state: "slower", seen: processor === undefined ? `no ${device}, and the processor shows no virtualisation: it is off in the firmware, or this is a virtual machine without nesting` : `no ${device}`, ...(processor !== undefined && { mend: `sudo modprobe kvm_${processor}` }) });
    }
    return kvm({ state: "slower", seen: `${device} does not open (${trial.code})`, mend: 'sudo usermod -aG kvm "$USER"  # and log in again' });
  }
  if (trial.boots === undefined) return kvm({ state: "works", seen: `${device} opens; whether the guest's kernel boots under it is tried when its image is built` });
  return kvm(trial.boots.reached ? { state: "works", seen: trial.boots.seen } : { state: "slower", seen: `${device} opens, but ${trial.boots.seen}` });
}
