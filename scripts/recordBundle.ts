import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { Command } from "commander";
import { execa } from "execa";
import { exitCode, Failure } from "../lab/failure/failure.ts";
import { writeWhole } from "../lab/report/atomicFile.ts";
import { captureFile, hasEvidence, readBundle, readRun } from "../lab/report/readBundle.ts";
import { evidenceFile } from "../lab/report/bundle.ts";
import { judgeAgain } from "../lab/run/judgeAgain.ts";
import { portablePath, repositoryFolder } from "../lab/run/portablePath.ts";
import { fixturesFolder } from "../lab/run/prepare.ts";
import { interruption } from "./interruption.ts";
import { reportFailure } from "./reportFailure.ts";
import { fromCaller } from "./startOptions.ts";

/** The judge's own fixtures: bundles of real runs, cut down to what is judged. */
export const recordedBundlesFolder = join(fixturesFolder, "bundles");

/** Bytes of each packet that are kept: headers and our record numbers, and little of what is between them. */
const keptBytes = 96;

/** Larger ones would make the repository heavy. */
const mostBytes = 1_000_000;

/**
 * usage: `npm run record -- BUNDLE NAME` keeps a run's bundle as fixtures/bundles/NAME: run.json, evidence, ledgers, and the capture, gzipped.
 * `npm run record -- --again` judges all of them again and writes what they are judged to now: after a check was mended, to be read as a diff.
 */
const program = new Command("record")
  .argument("[bundle]", "folder of a run")
  .argument("[name]", "name among the recorded ones")
  .option("--again", "judge the recorded ones again, and keep the new judgement", false)
  .allowExcessArguments(false)
  .action(async (bundle: string | undefined, name: string | undefined, { again }: { again: boolean }) => {
    const signal = interruption();
    if (again) {
      for (const each of (await readdir(recordedBundlesFolder)).toSorted()) console.log(`${each}: ${await judgeAnew(join(recordedBundlesFolder, each), signal)}`);
    } else if (bundle !== undefined && name !== undefined && /^[a-z0-9-]+$/u.test(name)) {
      await record(fromCaller(bundle), join(recordedBundlesFolder, name), signal);
    } else {
      program.error("give a run's folder and a name of small letters, digits and dashes, or --again", { exitCode: exitCode.usage });
    }
  });

/** Writes what a bundle is judged to now, and says in what that differs. */
async function judgeAnew(folder: string, signal: AbortSignal): Promise<string> {
  const { run, differences } = await judgeAgain(folder, signal);
  await writeWhole(folder, "run.json", `${JSON.stringify(run, undefined, 1)}\n`);
  return `${run.verdict}, ${differences.length} differences to what was recorded`;
}

async function record(bundle: string, target: string, signal: AbortSignal): Promise<void> {
  const again = await judgeAgain(bundle, signal);
  const [difference] = again.differences;
  if (difference !== undefined) {
    const seen = `${again.differences.length} differences to its own run.json: ${difference.what} was ${difference.recorded}, now ${difference.again}`;
    throw new Failure({ tried: `record ${bundle}`, seen, remedy: "Record a run of this very fwlab", exit: exitCode.usage });
  }
  await mkdir(recordedBundlesFolder, { recursive: true });
  const made = await mkdtemp(join(recordedBundlesFolder, ".unfinished-"));
  try {
    await copyJudged(bundle, made);
    const { differences: [lost] } = await judgeAgain(made, signal);
    if (lost !== undefined) throw new Failure({ tried: `record ${bundle}`, seen: `cut down, it is judged otherwise: ${lost.what} was ${lost.recorded}, now ${lost.again}`, remedy: "This is a fault of this script's: it cuts too much", exit: exitCode.invalid });
    await refuseTraces(made);
    await rm(target, { recursive: true, force: true });
    await rename(made, target);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
  console.log(`${portablePath(target)}: ${again.run.verdict}, ${await bytesOf(target)} bytes`);
}

/** What a judgement reads, and nothing else. */
async function copyJudged(bundle: string, made: string): Promise<void> {
  const recorded = await readRun(bundle);
  await writeWhole(made, "run.json", `${JSON.stringify(recorded, undefined, 1)}\n`);
  if (!(await hasEvidence(bundle))) return;
  const evidence = await readBundle(bundle);
  const capture = await captureFile(bundle, evidence);
  if (capture !== undefined && evidence.capture !== undefined && evidence.capture !== "off") {
    const cut = join(made, ".cut.pcapng");
    await execa("editcap", ["-s", String(keptBytes), "-F", "pcapng", capture, cut], { stdin: "ignore" });
    evidence.capture.snapLength = Math.min(keptBytes, evidence.capture.snapLength);
    await writeWhole(made, evidence.capture.file, await promisify(gzip)(await readFile(cut), { level: 9 }));
    await rm(cut);
    await writeWhole(made, "run.json", `${JSON.stringify({ ...recorded, capture: evidence.capture }, undefined, 1)}\n`);
  }
  const { file, ledgers } = evidenceFile(evidence);
  for (const [path, ledger] of ledgers) await writeWhole(made, path, `${JSON.stringify(ledger)}\n`);
  await writeWhole(made, "evidence.json", `${JSON.stringify(file)}\n`);
}

/** What a recorded bundle must not tell: folders of the machine that it was made on, keys. @throws Failure when it does, or is too large. */
async function refuseTraces(folder: string): Promise<void> {
  const traces = [repositoryFolder, homedir(), tmpdir(), "PRIVATE KEY"];
  for (const path of await filesOf(folder)) {
    const text = await readFile(path, "latin1");
    const trace = path.endsWith(".json") ? traces.find((each) => text.includes(each)) : undefined;
    if (trace !== undefined) throw new Failure({ tried: `record ${basename(path)}`, seen: `it tells ${trace}`, remedy: "Record a run of the repository's own trees, with its bundle in runs/", exit: exitCode.usage });
  }
  const bytes = await bytesOf(folder);
  if (bytes > mostBytes) throw new Failure({ tried: "record a bundle", seen: `it has ${bytes} bytes, more than ${mostBytes}`, remedy: "Record a run of fewer flows", exit: exitCode.usage });
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function bytesOf(folder: string): Promise<number> {
  const sizes = await Promise.all((await filesOf(folder)).map(async (path) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

try {
  await program.parseAsync();
} catch (thrown) {
  process.exitCode = reportFailure(thrown);
}
