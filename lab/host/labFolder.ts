import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { cacheFolder } from "./cacheFolder.ts";
import { insideNamespaces } from "./namespaces.ts";

/**
 * The folder of a lab's temporary files: sockets, drives, ledgers. In namespaces that `prepareNamespaces` has seen it is a tmpfs that goes
 * with them and that nobody outside sees; outside it is an empty mount point.
 */
export function labFolder(): string {
  return join(cacheFolder(), "lab");
}

/**
 * Makes fresh namespaces fit for a lab: `lo` is up, IPv6 is off, bridged frames bypass the host's packet filter, and `labFolder()` is a
 * tmpfs that only this user may enter. To be called once, by the first process.
 * @throws Failure (usage) outside of such namespaces, or naming the command that failed.
 */
export async function prepareNamespaces(signal?: AbortSignal): Promise<void> {
  if (!insideNamespaces()) {
    throw new Failure({
      tried: "prepare the lab's namespaces",
      seen: "this process is in the host's own",
      remedy: "Start it by enterNamespaces (npm start and npm test do).",
      exit: exitCode.usage,
    });
  }
  const folder = labFolder();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await run("mount", ["-t", "tmpfs", "-o", "mode=0700,nosuid,nodev", "fwlab", folder], signal);
  await run("ip", ["link", "set", "dev", "lo", "up"], signal);
  await Promise.all(["all", "default"].map((scope) => writeFile(`/proc/sys/net/ipv6/conf/${scope}/disable_ipv6`, "1").catch(unlessAbsent)));
  await bypassHostFilter();
}

/** br_netfilter, once any program of the host has loaded it, hands the frames of every bridge to iptables, in new namespaces too. */
async function bypassHostFilter(): Promise<void> {
  const folder = "/proc/sys/net/bridge";
  const names = (await readdir(folder).catch(unlessAbsent)) ?? [];
  const calls = names.filter((name) => name.startsWith("bridge-nf-call-"));
  await Promise.all(calls.map((name) => writeFile(join(folder, name), "0")));
}

/** For `catch`: a kernel without IPv6 or without br_netfilter lacks their settings, and needs none. */
function unlessAbsent(thrown: unknown): undefined {
  if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") {
    return undefined;
  }
  throw thrown;
}

async function run(command: string, args: readonly string[], signal?: AbortSignal): Promise<void> {
  const result = await execa(command, args, { reject: false, stdin: "ignore", ...(signal === undefined ? {} : { cancelSignal: signal }) });
  signal?.throwIfAborted();
  if (result.failed) {
    throw new Failure({
      tried: `prepare the lab's namespaces: ${result.command}`,
      seen: result.stderr === "" ? messageOf(result.originalMessage ?? `exit code ${result.exitCode ?? "none"}`) : messageOf(result.stderr),
      remedy: "Run as root, or on a host that lets ordinary users make namespaces.",
      exit: exitCode.usage,
    });
  }
}
