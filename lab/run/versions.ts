import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { findProgram } from "../host/requirements.ts";
import type { MachineShell } from "../machine/shell.ts";
import type { Keeper } from "../report/keeper.ts";
import { repositoryFolder } from "./portablePath.ts";

/** Packages of the guest image that a run's outcome may hang on, as Debian calls them. The kernel is told by its release. */
export const packagesUnderTest = ["keepalived", "conntrackd", "conntrack", "nftables", "iptables", "ipset", "ipvsadm", "iproute2", "systemd", "openssh-server", "nodejs"] as const;

/** Asks a guest for all its packages and their versions, one a line. Source: dpkg-query(1). */
const packagesCommand = "dpkg-query --show --showformat='${Package} ${Version}\\n'";

/** Versions of the packages under test out of the answer to `packagesCommand`; one that is not installed is not in it. */
export function versionsUnderTest(answer: string): Record<string, string> {
  const installed = new Map(answer.split("\n").map((line) => [line.split(" ")[0] ?? "", line.split(" ")[1] ?? ""]));
  return Object.fromEntries(packagesUnderTest.flatMap((name) => ((installed.get(name) ?? "") === "" ? [] : [[name, installed.get(name) ?? ""]])));
}

/** By the id of a guest image: its packages. */
const packagesOf = new Map<string, string>();

export interface AskVersionsOptions {
  /** Of the guest image that the machine runs. */
  readonly imageId: string;
  readonly keeper: Keeper;
  readonly signal: AbortSignal;
}

/**
 * Versions of the packages under test. All machines have one image, so one is asked that is not under test; and once for each image, for it never
 * changes. The whole answer is kept. @throws Failure when the machine does not answer, or the answer cannot be kept.
 */
export async function askVersions(shell: MachineShell, { imageId, keeper, signal }: AskVersionsOptions): Promise<Record<string, string>> {
  const answer = packagesOf.get(imageId) ?? (await shell.must(packagesCommand, { signal }));
  packagesOf.set(imageId, answer);
  await keeper.save(`observations/begin/${shell.name}/packages.txt`, answer);
  return versionsUnderTest(answer);
}

const packageSchema = z.object({ version: z.string() });

/**
 * fwlab's own version, and the commit when it is a checkout of git's: `-dirty` when files that git knows were changed.
 * @throws the file system's error when package.json is missing: the repository is then not whole.
 */
export async function ownVersions(folder = repositoryFolder): Promise<Record<string, string>> {
  const { version } = packageSchema.parse(JSON.parse(await readFile(join(folder, "package.json"), "utf8")));
  const commit = await commitOf(folder);
  return { fwlab: version, ...(commit !== undefined && { commit }) };
}

async function commitOf(folder: string): Promise<string | undefined> {
  const git = findProgram("git");
  if (git === undefined) return undefined;
  // In the namespaces of an ordinary user the checkout seems to belong to somebody else, which git refuses; and no monitor of file systems is to be started there.
  const options = ["-c", `safe.directory=${folder.replace(/\/$/u, "")}`, "-c", "core.fsmonitor=false"];
  const { exitCode, stdout } = await execa(git, [...options, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"], { cwd: folder, reject: false, stdin: "ignore", timeout: 20_000 });
  // Without a repository there is no commit to tell.
  return exitCode === 0 ? stdout : undefined;
}
