import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Keeper } from "./keeper.ts";

/** Folder of a bundle for what people are to read first of its raw answers. */
export const quotesFolder = "quotes";

/** Lines out of a raw answer that is kept in the same folder. */
export interface Quote {
  /** Machine and command that gave the answer. */
  readonly machine: string;
  readonly command: string;
  /** Relative path of the raw answer. */
  readonly source: string;
  /** A line is quoted when it holds one of these. */
  readonly holding: readonly string[];
}

/**
 * Keeps quotes as `quotes/<name>.txt`, each as a shell would show it: for people, beside the evidence.
 * @param about what is quoted, in a line.
 * @throws Failure as the keeper; the system's error when a raw answer is not there.
 */
export async function keepQuotes(keeper: Keeper, name: string, about: string, quotes: readonly Quote[]): Promise<void> {
  const parts = await Promise.all(
    quotes.map(async ({ machine, command, source, holding }) => {
      const lines = (await readFile(join(keeper.folder, source), "utf8")).split("\n").filter((line) => line.trim() !== "");
      // What is no answer, as of a daemon that does not run, has no such lines, and says why.
      const failed = lines.findIndex((line) => line.startsWith("--- "));
      const quoted = failed === -1 ? lines.filter((line) => holding.some((text) => line.includes(text))) : lines.slice(failed);
      return [`(shell ${machine})# ${command}`, ...(quoted.length > 0 ? quoted : ["(no such line)"]), `(out of ${source})`, ""].join("\n");
    }),
  );
  await keeper.save(`${quotesFolder}/${name}.txt`, `${about}\n\n${parts.join("\n")}`);
}
