import { execa } from "execa";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { findProgram, hostPrograms } from "./requirements.ts";

/**
 * What of QEMU's a graphical console is made of: what QEMU is asked for its help, and what the answer begins with where it has that. Its exit code tells nothing: it is 1 after `-spice help`, and 0 for
 * a device that there is not. Debian has each in a module that QEMU loads. QEMU 7.2.
 */
const asked: readonly (readonly [option: string, help: string, answer: string])[] = [
  ["-spice", "help", "spice options:"],
  ...["qxl-vga", "usb-redir", "virtserialport", "qemu-xhci"].map((device) => ["-device", `${device},help`, `${device} options:`] as const),
];

/** What installs it, where QEMU is Debian's or Ubuntu's. */
export const spiceMend = "sudo apt-get install -y --no-install-recommends qemu-system-common qemu-system-modules-spice  # Debian 12 has only the first, and all in it";

/** Why this host's QEMU gives no machine a graphical console; undefined when it does. @throws the signal's reason. */
export async function withoutSpice(signal?: AbortSignal): Promise<string | undefined> {
  const qemu = findProgram("qemu-system-x86_64");
  if (qemu === undefined) return "qemu-system-x86_64 not found";
  for (const [option, help, answer] of asked) {
    const { stdout, stderr, originalMessage } = await execa(qemu, ["-machine", "none", option, help], { reject: false, stdin: "ignore", timeout: 20_000, ...(signal && { cancelSignal: signal }) });
    signal?.throwIfAborted();
    if (!stdout.startsWith(answer)) return `${option} ${help}: ${messageOf(stderr.split("\n", 1)[0] || originalMessage || "no help")}`;
  }
  return undefined;
}

/** Debian packages of the programs with which tests look at a graphical console, as far as this host lacks them. */
export function missingClients(): string[] {
  return Object.entries(hostPrograms.screens).flatMap(([debianPackage, programs]) => (programs.some((program) => findProgram(program) !== undefined) ? [] : [debianPackage]));
}

/** @throws Failure (usage) when this host's QEMU gives no machine a graphical console; the signal's reason. */
export async function requireSpice(signal?: AbortSignal): Promise<void> {
  const why = await withoutSpice(signal);
  if (why !== undefined) throw new Failure({ tried: "look for SPICE in this host's QEMU", seen: why, remedy: `Install it: ${spiceMend}`, exit: exitCode.usage });
}
