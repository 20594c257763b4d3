import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { compileFirewallBuilder, type CompiledPolicy } from "../checkers/compileFirewallBuilder.ts";
import { firewallBuilderFile, scriptPath, type FirewallBuilderFile } from "../config/firewallBuilderFile.ts";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { cacheFolder } from "../host/cacheFolder.ts";
import { labFolder } from "../host/labFolder.ts";
import type { Progress } from "../progress/progress.ts";
import type { Topology } from "../topology/topology.ts";
import { Lab } from "./lab.ts";
import type { Prepared } from "./prepare.ts";
import { cachedSnapshots, labOptions } from "./startLab.ts";
import { restoreIdle } from "./warmLab.ts";

export interface CompiledPolicyOptions {
  readonly topology: Topology;
  /** Config trees, lowest first. */
  readonly trees: readonly string[];
  readonly prepared: Prepared;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** To be raised when another script comes out of the same policy and the same image. */
const compilerVersion = 1;

/**
 * The config trees, and right over the one that holds Firewall Builder's policy a tree of what the policy was compiled to; the trees themselves where
 * none does. Compiled in a guest, once for each policy and guest image: the result is a config tree in the cache, so that whatever reads trees reads it.
 * @throws Failure (usage) when a tree holds several policies, or it does not compile for every firewall; the signal's reason.
 */
export async function withCompiledPolicy(options: CompiledPolicyOptions): Promise<readonly string[]> {
  const { topology, trees, prepared, progress } = options;
  const policy = await firewallBuilderFile(trees);
  if (policy === undefined) return trees;
  const firewalls = topology.machines.filter(({ role }) => role === "firewall").map(({ name }) => name);
  const key = createHash("sha256").update(JSON.stringify([compilerVersion, prepared.image.id, firewalls])).update(policy.content).digest("hex").slice(0, 16);
  const compiled = join(cacheFolder(), "policies", key);
  // Trees that were given back by an earlier call.
  if (trees.includes(compiled)) return trees;
  if (!(await isFolder(compiled))) {
    using step = progress.step(`compile Firewall Builder's ${basename(policy.path)}`);
    const { scripts, warnings } = await compileInGuest(options, policy, firewalls);
    for (const warning of warnings) progress.note(`${basename(policy.path)}: ${warning}`);
    await keep(compiled, scripts);
    step.done(firewalls.map((firewall) => `/${scriptPath(firewall)}`).join(", "));
  }
  const at = trees.indexOf(policy.tree) + 1;
  return [...trees.slice(0, at), compiled, ...trees.slice(at)];
}

/** Compiles on an idle machine, without any tree: restored, or booted where none can be. Nothing of it is left. */
async function compileInGuest({ topology, prepared, progress, signal }: CompiledPolicyOptions, policy: FirewallBuilderFile, firewalls: readonly string[]): Promise<CompiledPolicy> {
  const keptIn = await mkdtemp(join(labFolder(), "compile-"));
  try {
    const options = await labOptions({ topology, trees: [], prepared, keptIn, progress, signal });
    await using lab = (await restoreIdle({ lab: options, prepared, store: cachedSnapshots(), writes: "private", keepsLaid: false, signal })) ?? (await Lab.startIdle(options));
    return await compileFirewallBuilder(lab.machine(firewalls[0] ?? "").shell, policy, firewalls, signal);
  } finally {
    await rm(keptIn, { recursive: true, force: true });
  }
}

/** The folder appears whole, or not at all; of two that compile the same at once, either one's result is as good. @throws Failure when it cannot be written. */
async function keep(folder: string, scripts: CompiledPolicy["scripts"]): Promise<void> {
  try {
    await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
    const unfinished = await mkdtemp(`${folder}.`);
    try {
      for (const [firewall, script] of scripts) {
        const path = join(unfinished, firewall, scriptPath(firewall));
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, script, { mode: 0o755 });
      }
      await rename(unfinished, folder).catch(async (error: unknown) => {
        if (!(await isFolder(folder))) throw error;
      });
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  } catch (error) {
    throw new Failure({ tried: `keep the compiled policy in ${folder}`, seen: messageOf(error), remedy: "Free some space, or name another cache folder with FWLAB_CACHE=FOLDER", exit: exitCode.usage, cause: error });
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
}
