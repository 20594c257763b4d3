import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { max } from "simple-statistics";
import { labFolder } from "../lab/host/labFolder.ts";
import { bootBareKernels } from "../lab/machine/bareKernel.ts";
import type { Progress } from "../lab/progress/progress.ts";
import { Lab } from "../lab/run/lab.ts";
import type { LabOptions } from "../lab/run/labOptions.ts";
import type { Prepared } from "../lab/run/prepare.ts";
import { labOptions } from "../lab/run/startLab.ts";
import type { PairTopology } from "../lab/topology/topology.ts";

/** One round of measuring. Times in milliseconds from power on, from the command to save, or from the command to restore; sizes in bytes. */
export interface Round {
  readonly bareMs: number;
  readonly coldReadyMs: number;
  readonly coldAnswerMs: number;
  readonly saveMs: number;
  readonly runningMs: number;
  readonly warmAnswerMs: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

export interface RoundOptions {
  readonly topology: PairTopology;
  readonly trees: readonly string[];
  readonly prepared: Prepared;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

const bareKernelPatienceMs = 120_000;

/**
 * Measures by turns, so that what else the host does meets all alike: bare kernels; the lab booted cold, to ready and until all machines answered a
 * command; that lab saved; and restored, until it runs and until all machines answered. @throws Failure when one of them does not come up.
 */
export async function measureRound({ topology, trees, prepared, progress, signal }: RoundOptions): Promise<Round> {
  const { image, choice } = prepared;
  const bareMs = await bootBareKernels(topology.machines.length, { accelerator: choice.accelerator, boot: image, within: bareKernelPatienceMs, signal });
  const keptIn = await mkdtemp(join(labFolder(), "bench-"));
  const saved = join(keptIn, "saved");
  await mkdir(saved);
  // As bare as a lab with its trees can be: the flows' agents are no part of a boot.
  const options: LabOptions = { ...(await labOptions({ topology, trees, prepared, keptIn, progress, signal })), extraFiles: () => [] };
  try {
    const { snapshot, ...cold } = await measureCold(options, saved);
    const diskKiB = Number((await execa("du", ["--summarize", "--block-size=1024", saved])).stdout.split("\t")[0]);
    const begin = performance.now();
    await using lab = await Lab.restore(options, snapshot);
    const runningMs = performance.now() - begin;
    await answer(lab);
    return { bareMs, ...cold, runningMs, warmAnswerMs: performance.now() - begin, diskBytes: diskKiB * 1024 };
  } finally {
    await rm(keptIn, { recursive: true, force: true });
  }
}

async function measureCold(options: LabOptions, saved: string) {
  const begin = performance.now();
  await using lab = await Lab.start(options);
  const coldReadyMs = performance.now() - begin;
  await answer(lab);
  const coldAnswerMs = performance.now() - begin;
  const memoryBytes = max(await Promise.all(options.topology.machines.map(({ name }) => lab.machine(name).peakMemoryBytes())));
  const saveBegin = performance.now();
  const snapshot = await lab.save(saved);
  return { coldReadyMs, coldAnswerMs, memoryBytes, snapshot, saveMs: performance.now() - saveBegin };
}

/** All machines answer a command, each over a connection made anew. */
async function answer(lab: Lab): Promise<void> {
  await Promise.all(lab.topology.machines.map(({ name }) => lab.machine(name).shell.must("true")));
}
