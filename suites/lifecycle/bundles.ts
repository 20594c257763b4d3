import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { runSchema, type Run } from "../../lab/evidence/run.ts";
import { repository } from "./command.ts";

const runsFolder = join(repository, "runs");

/** The bundles that runs make from now on. */
export class NewBundles {
  readonly #before = new Set(bundleNames());

  /** Folder of the bundle, once there is one. @throws Error when there are more. */
  get folder(): string | undefined {
    const [name, ...others] = bundleNames().filter((candidate) => !this.#before.has(candidate));
    if (others.length > 0) throw new Error(`one run, and more than one new bundle in ${runsFolder}: another run is under way there`);
    return name === undefined ? undefined : join(runsFolder, name);
  }

  /** The bundle's run.json, which must have the published form. @throws Error otherwise, or when there is no bundle. */
  run(): Run {
    const { folder } = this;
    if (folder === undefined) throw new Error(`no new bundle in ${runsFolder}`);
    return runSchema.parse(JSON.parse(readFileSync(join(folder, "run.json"), "utf8")));
  }

  /** Removes it: a run that was killed for a test is of no use to anyone. */
  async remove(): Promise<void> {
    const { folder } = this;
    if (folder !== undefined) await rm(folder, { recursive: true });
  }
}

function bundleNames(): string[] {
  try {
    return readdirSync(runsFolder).filter((name) => /^\d{4}-.*Z-[0-9a-f]{4}$/u.test(name));
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return [];
    throw thrown;
  }
}
