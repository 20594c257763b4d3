import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { dutyOf } from "../config/duty.ts";
import { pairConfig, readPair } from "../config/pair.ts";
import { readSandwich } from "../config/sandwich.ts";
import { readRuleset } from "../config/readRuleset.ts";
import { findingsOf } from "../findings/findings.ts";
import { sandwichFindings } from "../findings/sandwichRules.ts";
import { cacheFolder } from "../host/cacheFolder.ts";
import { labFolder } from "../host/labFolder.ts";
import { explanations } from "../judge/explained.ts";
import { isPair } from "../topology/topology.ts";
import { AnswerStore } from "./answerStore.ts";
import { withCompiledPolicy } from "./compiledPolicy.ts";
import { conductSandwich } from "./conductSandwich.ts";
import { validationOfSandwich } from "./sandwichCut.ts";
import { prepare, type Prepared } from "./prepare.ts";
import { staticAnswers } from "./staticLab.ts";
import type { Looked, StepOptions, ValidationParts } from "./validate.ts";
import { conductValidation } from "./validationRun.ts";

/** The parts of a validation as they are. Whatever of a tree is executed or loaded, is in guests. */
export const validationParts: ValidationParts = {
  compile: async (options) => withCompiledPolicy({ topology: options.input.topology, trees: options.trees, prepared: await prepared(options), progress: options.progress, signal: options.signal }),
  look,
  conduct: async (options) => {
    const { input: { topology, tree }, trees: [config = tree, ...over], accelerator, cold, flows, keepsMachines, runsFolder, command, progress, signal } = options;
    if (!isPair(topology)) {
      const { story, fault } = validationOfSandwich(topology, flows);
      return conductSandwich({ topology, config, over, fault, story, accelerator, prepared: await prepared(options), cold, runsFolder, command, progress, signal });
    }
    const duty = dutyOf(pairConfig(await readPair(topology, [config, ...over])));
    return conductValidation({ topology, config, over, duty, flows, accelerator, prepared: await prepared(options), cold, keepsMachines, runsFolder, command, progress, signal });
  },
  explain: explanations,
};

/** What the guests' own checkers say of each file, and what rules see in all of them together. */
async function look(options: StepOptions): Promise<Looked> {
  const { input: { topology }, trees, cold, progress, signal } = options;
  const files = isPair(topology) ? await readPair(topology, trees) : await readSandwich(topology, trees);
  const keptIn = join(labFolder(), "static");
  await mkdir(keptIn, { recursive: true });
  using step = progress.step("look at the files with the guests' own checkers");
  const { answers, asked } = await staticAnswers({ files, trees, prepared: await prepared(options), cold, keptIn, remembered: new AnswerStore(join(cacheFolder(), "answers")), progress, signal });
  const rulesets = new Map([...answers].flatMap(([machine, answer]) => {
    const ruleset = readRuleset(machine, answer);
    return ruleset === undefined ? [] : [[machine, ruleset] as const];
  }));
  const seen = "endpoints" in files ? findingsOf(pairConfig(files, rulesets)) : sandwichFindings(files);
  const found = [...[...answers.values()].flatMap(({ findings }) => findings), ...seen];
  step.done(`${found.length} findings`);
  return { findings: found, seenBefore: asked.length === 0 };
}

/** By what was asked for: host, image and accelerator are seen to once for both steps. */
const preparations = new Map<string, Promise<Prepared>>();

function prepared({ input: { topology }, accelerator, progress, signal }: StepOptions): Promise<Prepared> {
  const key = `${topology.name} ${accelerator}`;
  const found = preparations.get(key);
  if (found !== undefined) return found;
  const made = prepare({ topology, accelerator, progress, signal });
  preparations.set(key, made);
  // What was not to be had may be there the next time.
  made.catch(() => preparations.delete(key));
  return made;
}
