import { fileAt, type NodeFiles, type Place } from "../config/nodeFiles.ts";
import type { Certainty, Finding, Severity } from "../evidence/finding.ts";
import { checkerSeconds, type RawAnswer } from "./asking.ts";

/** One complaint of a checker, at a path of the guest. */
export interface Complaint {
  readonly path: string;
  readonly line: number | null;
  readonly text: string;
  readonly severity: Severity;
  readonly certainty: Certainty;
}

/** What findings of one checker have in common. */
export interface Checker {
  readonly id: string;
  readonly causes: string;
  readonly remedy: string;
  /** Ids of the checks that a run fails when what was checked does not work. */
  readonly explains: readonly string[];
}

/** A guest's path as the tree's author knows it; of a file that the trees do not hold, where it would be. */
export function authorsPath(node: NodeFiles, path: string): string {
  return fileAt(node, path)?.file ?? `${node.machine}${path}`;
}

/** A checker's complaints as findings, each said once. */
export function findingsFrom(node: NodeFiles, checker: Checker, complaints: readonly Complaint[]): Finding[] {
  const seen = new Set<string>();
  return complaints.flatMap(({ path, line, text, severity, certainty }) => {
    const key = `${path} ${line ?? ""} ${text}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ id: checker.id, severity, certainty, machine: node.machine, file: authorsPath(node, path), line, wrong: text, causes: checker.causes, remedy: checker.remedy, explains: [...checker.explains], also: [] }];
  });
}

/** A checker that had to be ended. */
export function endless(node: NodeFiles, { file }: Pick<Place, "file">, { command }: RawAnswer): Finding {
  return {
    id: "checker-endless",
    severity: "warning",
    certainty: "likely",
    machine: node.machine,
    file,
    line: null,
    wrong: `\`${command}\` had not ended after ${checkerSeconds} s, and was ended`,
    causes: "what it reads may never be loaded, and a boot may wait for it",
    remedy: "Look for a loop, or for something that it waits for",
    explains: [],
    also: [],
  };
}
