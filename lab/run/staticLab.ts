import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { checkNode, recallNode, type CheckerAnswers } from "../checkers/checkers.ts";
import type { NodeFiles } from "../config/nodeFiles.ts";
import { messageOf } from "../failure/failure.ts";
import { configHash } from "../machine/configTree.ts";
import type { Progress } from "../progress/progress.ts";
import { snapshotKey } from "../snapshot/parts.ts";
import type { SnapshotStore } from "../snapshot/store.ts";
import type { Topology } from "../topology/topology.ts";
import type { AnswersParts, AnswerStore } from "./answerStore.ts";
import { Lab } from "./lab.ts";
import type { LabOptions } from "./labOptions.ts";
import type { Prepared } from "./prepare.ts";
import { idleParts } from "./snapshotParts.ts";
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
  /** What machines answered before; without it, and with `cold`, each is asked. */
  readonly remembered?: AnswerStore;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface StaticAnswers {
  /** By machine. */
  readonly answers: ReadonlyMap<string, CheckerAnswers>;
  /** Machines that had to be asked: of the others it was known what they answer. */
  readonly asked: readonly string[];
}

/**
 * What the guests' own checkers say of a pair's files: the firewalls alone, idle, get their files, start nothing of them, are asked side by side, and
 * are thrown away. Who was asked before with the same files, is not asked again. Has to run in the lab's namespaces (prepareNamespaces), while no other
 * lab of theirs is up. Seconds when the machines are saved.
 * @throws Failure when a machine cannot be had, or answers no more; the signal's reason.
 */
export async function staticAnswers(options: StaticLabOptions): Promise<StaticAnswers> {
  const { files: { topology, nodes }, trees, prepared, cold, keptIn, remembered, progress, signal } = options;
  const folder = join(keptIn, "static");
  await mkdir(folder, { recursive: true });
  const lab = await labOptions({ topology, trees, prepared, keptIn: folder, progress, signal });
  const machines = snapshotKey(await idleParts(lab, prepared));
  const questions = await Promise.all(nodes.map(async (node): Promise<Question> => ({ node, parts: { machines, machine: node.machine, tree: await configHash(trees, [node.machine]) } })));
  const answered = new Map<string, CheckerAnswers>();
  for (const { node, parts } of cold ? [] : questions) {
    const recalled = await remembered?.recall(parts);
    const answers = recalled && (await recallNode(recalled, node));
    if (answers !== undefined) answered.set(node.machine, answers);
  }
  if (answered.size > 0) progress.note(`the checkers have seen these files of ${[...answered.keys()].join(" and ")} before, and are not asked again (--cold asks them)`);
  const unknown = questions.filter(({ node }) => !answered.has(node.machine));
  for (const [{ node, parts }, answers] of await asked(unknown, lab, options)) {
    answered.set(node.machine, answers);
    await remembered?.keep(parts, answers.answers).catch((error: unknown) => progress.note(`what the checkers of ${node.machine} answered cannot be kept for later: ${messageOf(error)}`));
  }
  return { answers: answered, asked: unknown.map(({ node }) => node.machine) };
}

/** A machine's files, and what their answers are kept by. */
interface Question {
  readonly node: NodeFiles;
  readonly parts: AnswersParts;
}

/** Asks machines that have their files, and nothing of them running. */
async function asked(questions: readonly Question[], lab: LabOptions, { prepared, cold, store = cachedSnapshots(), signal }: StaticLabOptions): Promise<readonly (readonly [Question, CheckerAnswers])[]> {
  if (questions.length === 0) return [];
  const options = { ...lab, machines: questions.map(({ node }) => node.machine) };
  const restored = cold ? undefined : await restoreIdle({ lab: options, prepared, store, writes: "private", keepsLaid: false, signal });
  await using machines = restored ?? (await Lab.startIdle(options));
  await machines.unpack();
  return await Promise.all(questions.map(async (question) => [question, await checkNode(machines.machine(question.node.machine).shell, question.node, signal)] as const));
}
