import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";

const startWithinMs = 10_000;

export interface VlanSwitchOptions {
  /** Taps, which are there: frames with the tag go in and out by the one, the same without it by the other. */
  readonly tagged: string;
  readonly untagged: string;
  readonly vlan: number;
  /** Folder for its sockets and its orders. */
  readonly folder: string;
  readonly signal?: AbortSignal;
}

/**
 * A switch in user space that takes a VLAN's tag away, for a host whose kernel has no VLANs. Ends with its caller, and when it is disposed of.
 * @throws Failure that quotes vde_switch when it does not come up. Source: vde_switch(1).
 */
export async function startVlanSwitch({ tagged, untagged, vlan, folder, signal }: VlanSwitchOptions): Promise<AsyncDisposable> {
  const stem = join(folder, tagged);
  // Its ports are numbered in the order of its taps.
  await writeFile(`${stem}.rc`, `vlan/create ${vlan}\nport/setvlan 2 ${vlan}\nvlan/addport ${vlan} 1\n`);
  const vde = execa("setpriv", ["--pdeathsig", "KILL", "vde_switch", "-s", `${stem}.sockets`, "-M", `${stem}.management`, "-f", `${stem}.rc`, "-t", tagged, "-t", untagged], {
    // At the end of its input it ends.
    stdin: "pipe",
    reject: false,
    detached: true,
    cleanup: false,
    all: true,
    env: { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  });
  const ended = vde.then(({ all, originalMessage }) => (all === "" ? (originalMessage ?? "") : all));
  const dispose = async (): Promise<void> => {
    vde.kill("SIGKILL");
    await ended;
  };
  try {
    await untilCarried([tagged, untagged], ended, AbortSignal.any([AbortSignal.timeout(startWithinMs), ...(signal ? [signal] : [])]));
  } catch (error) {
    await dispose();
    signal?.throwIfAborted();
    throw new Failure({
      tried: `take VLAN ${vlan}'s tag away between ${tagged} and ${untagged}`,
      seen: `${messageOf(error)}: ${messageOf(await ended)}`,
      remedy: "Install vde2 (sudo apt-get install -y --no-install-recommends vde2), or use a kernel with VLANs (modprobe 8021q)",
      exit: exitCode.usage,
      cause: error,
    });
  }
  return { [Symbol.asyncDispose]: dispose };
}

/** Waits until somebody holds each tap. @throws when vde_switch ends before; the signal's reason. */
async function untilCarried(taps: readonly string[], ended: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const early = ended.then(() => {
    throw new Error("vde_switch ended at once");
  });
  await Promise.race([early, held(taps, signal)]);
}

async function held(taps: readonly string[], signal: AbortSignal): Promise<void> {
  for (;;) {
    const { stdout } = await execa("ip", ["-json", "link", "show"], { cancelSignal: signal });
    const carried = taps.every((tap) => (JSON.parse(stdout) as { ifname: string; flags: string[] }[]).some(({ ifname, flags }) => ifname === tap && !flags.includes("NO-CARRIER")));
    if (carried) return;
    await delay(20, undefined, { signal });
  }
}
