import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { checkNode, type CheckerAnswers } from "../checkers/checkers.ts";
import type { NodeFiles } from "../config/nodeFiles.ts";
import type { Progress } from "../progress/progress.ts";
import type { SnapshotStore } from "../snapshot/store.ts";
import type { Topology } from "../topology/topology.ts";
import { Lab } from "./lab.ts";
import type { Prepared } from "./prepare.ts";
import { cachedSnapshots, labOptions } from "./startLab.ts";
import { restoreIdle } from "./warmLab.ts";

export interface StaticLabOptions {
  /** What the trees give to each machine that is asked. */
  readonly files: { readonly topology: Topology; readonly nodes: readonly NodeFiles[] };
  /** The same config trees, lowest first. */
  readonly trees: readonly string[];
  readonly prepared: Prepared;
  /** Whether machines are booted even where saved ones could be restored. */
  readonly cold: boolean;
  /** Folder that keeps the consoles' output, in a folder of theirs. */
  readonly keptIn: string;
  /** Where saved machines are, and are put: the cache, unless another is given. */
  readonly store?: SnapshotStore;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * What the guests' own checkers say of a pair's files: the firewalls alone, idle, get their files, start nothing of them, are asked side by side, and
 * are thrown away. Has to run in the lab's namespaces (prepareNamespaces), while no other lab of theirs is up. Seconds when the machines are saved.
 * @throws Failure when a machine cannot be had, or answers no more; the signal's reason.
 */
export async function staticAnswers({ files, trees, prepared, cold, keptIn, store = cachedSnapshots(), progress, signal }: StaticLabOptions): Promise<Map<string, CheckerAnswers>> {
  const { topology, nodes } = files;
  const folder = join(keptIn, "static");
  await mkdir(folder, { recursive: true });
  const options = { ...(await labOptions({ topology, trees, prepared, keptIn: folder, progress, signal })), machines: nodes.map(({ machine }) => machine) };
  const restored = cold ? undefined : await restoreIdle({ lab: options, prepared, store, writes: "private", keepsLaid: false, signal });
  await using lab = restored ?? (await Lab.startIdle(options));
  await lab.unpack();
  const answered = await Promise.all(nodes.map(async (node) => [node.machine, await checkNode(lab.machine(node.machine).shell, node, signal)] as const));
  return new Map(answered);
}
