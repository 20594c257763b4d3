import { stat } from "node:fs/promises";
import { join } from "node:path";
import { promisesFile, promisesOf } from "../config/promises.ts";
import { exitCode, Failure } from "../failure/failure.ts";
import { fixturesFolder } from "./prepare.ts";

/**
 * A config tree and what it says it is laid over (`over` in its `fwlab.json`), and what that is laid over, lowest first.
 * @throws Failure (usage) when there is no such reference tree, or one is laid over itself.
 */
export async function treeStack(tree: string, references = fixturesFolder): Promise<string[]> {
  const stack = [tree];
  for (;;) {
    const [lowest = tree] = stack;
    const { over } = await promisesOf(lowest);
    if (over === undefined) return stack;
    const below = join(references, over);
    const path = join(lowest, promisesFile);
    if (stack.includes(below)) throw unusable(path, `it is laid over ${over}, which is laid over it`, "Let one of them be whole");
    const isThere = await stat(below).then(
      (status) => status.isDirectory(),
      () => false,
    );
    if (!isThere) throw unusable(path, `it is laid over ${over}, which is no reference tree`, "Name a folder of fixtures/");
    stack.unshift(below);
  }
}

function unusable(path: string, seen: string, remedy: string): Failure {
  return new Failure({ tried: `find what a config tree is laid over, in ${path}`, seen, remedy, exit: exitCode.usage });
}
