import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { RawAnswer } from "../checkers/asking.ts";
import { writeWhole } from "../report/atomicFile.ts";

/** A pair's tree has two machines that are asked, a sandwich's four, and a few are worked on at a time; one takes some 10 KB. */
const mostKept = 200;

const answersSchema = z.array(z.object({ command: z.string(), exitCode: z.int(), output: z.string(), endless: z.boolean(), tookMs: z.number() })).min(1);

/** What guests' checkers answer depends on: with any other value, they have to be asked. */
export interface AnswersParts {
  /** The idle machines that are asked: a snapshot's key. */
  readonly machines: string;
  readonly machine: string;
  /** Hash of what the config trees give to it. */
  readonly tree: string;
}

/** What guests' checkers answered, kept in a folder: the same machine with the same files answers alike. The least recently used go when there are too many. */
export class AnswerStore {
  readonly #folder: string;
  readonly #mostKept: number;

  constructor(folder: string, limit = mostKept) {
    this.#folder = folder;
    this.#mostKept = limit;
  }

  /** All that was asked of it, in its order; undefined when nothing is kept, or it cannot be read. */
  async recall(parts: AnswersParts): Promise<readonly RawAnswer[] | undefined> {
    const path = join(this.#folder, fileOf(parts));
    try {
      const answers = answersSchema.parse(JSON.parse(await readFile(path, "utf8")));
      await utimes(path, new Date(), new Date());
      return answers;
    } catch {
      // Whoever cannot be recalled is asked.
      return undefined;
    }
  }

  /** Keeps what was asked, unless a checker had to be ended: on a host that does less beside, it might have come to its end. @throws Failure, I/O errors. */
  async keep(parts: AnswersParts, answers: readonly RawAnswer[]): Promise<void> {
    if (answers.some(({ endless }) => endless)) return;
    await mkdir(this.#folder, { recursive: true });
    await writeWhole(this.#folder, fileOf(parts), JSON.stringify(answers));
    await this.#evict();
  }

  async #evict(): Promise<void> {
    const names = (await readdir(this.#folder)).filter((name) => /^[0-9a-f]{16}\.json$/u.test(name));
    const used = await Promise.all(names.map(async (name) => ({ path: join(this.#folder, name), atMs: await stat(join(this.#folder, name)).then(({ mtimeMs }) => mtimeMs, () => 0) })));
    const superfluous = used.toSorted((a, b) => b.atMs - a.atMs).slice(this.#mostKept);
    await Promise.all(superfluous.map(({ path }) => rm(path, { force: true })));
  }
}

function fileOf({ machines, machine, tree }: AnswersParts): string {
  return `${createHash("sha256").update(JSON.stringify([machines, machine, tree])).digest("hex").slice(0, 16)}.json`;
}
