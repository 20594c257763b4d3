import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parsePatch, type StructuredPatch } from "diff";
import { alterationKinds, type AlterationKind, type Catcher } from "../evidence/alterations.ts";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";

/** A reference tree, altered on purpose: a file in fixtures/mutants or fixtures/variants. */
export interface Alteration {
  /** The file's name without `.patch`. */
  readonly name: string;
  readonly kind: AlterationKind;
  /** What is altered, and why it matters; one line. */
  readonly why: string;
  /** Name of the tree in fixtures/ that the patch is for. */
  readonly base: string;
  /** All that must catch a mutant. */
  readonly caughtBy: readonly Catcher[];
  /** Why a mutant does no harm after all, where it does none. */
  readonly harmless: string | undefined;
  readonly patches: readonly StructuredPatch[];
}

/** Where alterations of a kind are, below fixtures/. */
export const alterationFolders: Readonly<Record<AlterationKind, string>> = { mutant: "mutants", variant: "variants" };

const fileEnd = ".patch";
const fields = ["Why", "Base", "Caught-by", "Harmless"] as const;

/**
 * The alterations in fixtures/, mutants first, each in the order of their names.
 * @param names only these, if any are given.
 * @throws Failure (usage) for a name that is none of theirs, and as `parseAlteration`.
 */
export async function readAlterations(fixtures: string, kinds: readonly AlterationKind[] = alterationKinds, names: readonly string[] = []): Promise<Alteration[]> {
  const found: Alteration[] = [];
  for (const kind of kinds) {
    const folder = join(fixtures, alterationFolders[kind]);
    for (const file of (await readdir(folder)).toSorted()) {
      if (!file.endsWith(fileEnd)) continue;
      const name = basename(file, fileEnd);
      if (names.length === 0 || names.includes(name)) found.push(parseAlteration(name, kind, await readFile(join(folder, file), "utf8")));
    }
  }
  const unknown = names.find((name) => !found.some((alteration) => alteration.name === name));
  if (unknown === undefined) return found;
  const known = await readAlterations(fixtures, kinds);
  throw new Failure({ tried: `find ${unknown}`, seen: "there is no such mutant or variant", remedy: `Name some of ${known.map(({ name }) => name).join(", ")}`, exit: exitCode.usage });
}

/**
 * Reads an alteration: header lines (`Why`, `Base`, of a mutant `Caught-by` and `Harmless`; a line that begins with a blank goes on with the one before),
 * then a diff in git's format.
 * @throws Failure (usage), one line, for anything else.
 */
export function parseAlteration(name: string, kind: AlterationKind, text: string): Alteration {
  const wrong = (seen: string, cause?: unknown): Failure =>
    new Failure({ tried: `read the ${kind} ${name}`, seen, remedy: `fixtures/${alterationFolders[kind]}/${name}${fileEnd} is header lines (${fields.join(", ")}) and a diff by git diff --no-renames`, exit: exitCode.usage, cause });
  const at = text.search(/^diff --git /mu);
  if (at < 0) throw wrong("it holds no diff in git's format");
  const values = new Map<string, string[]>();
  for (const line of text.slice(0, at).replace(/\n[ \t]+(?=\S)/gu, " ").split("\n")) {
    if (line.trim() === "") continue;
    const [, field = "", value = ""] = /^([A-Z][a-z-]+):\s*(.*\S)\s*$/u.exec(line) ?? [];
    if (!(fields as readonly string[]).includes(field)) throw wrong(`its header has the line ${JSON.stringify(line)}`);
    values.set(field, [...(values.get(field) ?? []), value]);
  }
  const single = (field: string): string | undefined => {
    const given = values.get(field) ?? [];
    if (given.length > 1) throw wrong(`its header says ${field} ${given.length} times`);
    return given[0];
  };
  const must = (field: string): string => {
    const value = single(field);
    if (value === undefined) throw wrong(`its header does not say ${field}`);
    return value;
  };
  const why = must("Why");
  const base = must("Base");
  const harmless = single("Harmless");
  const caughtBy = (values.get("Caught-by") ?? []).flatMap((line) => line.split(/[,\s]+/u)).map((word) => {
    const [, by, id] = /^(finding|check):([a-z0-9]+(?:-[a-z0-9]+)*)$/u.exec(word) ?? [];
    if (by === undefined || id === undefined) throw wrong(`${JSON.stringify(word)} is neither finding:ID nor check:ID`);
    return { by: by as Catcher["by"], id };
  });
  if (kind === "variant" && (harmless !== undefined || caughtBy.length > 0)) throw wrong("a variant is to be caught by nothing, and needs no argument");
  if (kind === "mutant" && (harmless === undefined) === (caughtBy.length === 0)) throw wrong("a mutant says either what catches it or why it is harmless");
  try {
    return { name, kind, why, base, caughtBy, harmless, patches: parsePatch(text.slice(at)) };
  } catch (error) {
    throw wrong(messageOf(error), error);
  }
}
