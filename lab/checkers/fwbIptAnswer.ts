/** What fwb_ipt said against a policy, in its own words. */
export interface FwbIptComplaint {
  readonly words: string;
  /** Line of the .fwb file, counted from 1, where fwb_ipt or the file itself tells it. */
  readonly line: number | undefined;
}

/**
 * The first error in fwb_ipt's output (standard output and standard error together); undefined when there is none. Its exit code is not enough: for a
 * cluster it is 0 whatever the members' rules hold. Forms, fwb_ipt 5.3.7: `Error: WORDS`, also behind ` *** Loading data ...`; libxml2's lines below
 * that; `OBJECT:RULESET:RULE: error: WORDS`; `Unrecognized host OS …`; `Can't change to: FOLDER`.
 * @param policy the file's text: an id that is named in the complaint is looked up in it.
 */
export function complaintOf(output: string, policy: string): FwbIptComplaint | undefined {
  const lines = output.split("\n").map((line) => line.replace(/^ \*\*\* Loading data \.\.\./u, "").trim());
  const parser = lines.map((line) => /^Entity: line (?<line>\d+): (?<words>.+)$/u.exec(line)?.groups).find((groups) => groups !== undefined);
  if (parser?.["line"] !== undefined && parser["words"] !== undefined) return { words: parser["words"], line: Number(parser["line"]) };
  const old = lines.find((line) => line.startsWith("Data file has been created in the old version"));
  const words = lines.find((line) => /validity error/u.test(line)) ?? old ?? lines.find((line) => /^Error: |: error: |^Unrecognized |^Can't /u.test(line));
  if (words === undefined) return undefined;
  return { words: words.replace(/^Error: /u, ""), line: lineOf(words, policy) };
}

/** Warnings, in fwb_ipt's words. */
export function warningsOf(output: string): string[] {
  return output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /: warning: /u.test(line));
}

/** Firewalls that fwb_ipt compiled as members of a cluster. */
export function membersOf(output: string): string[] {
  return [...output.matchAll(/^ Firewall (?<member>.+) member of cluster .+$/gmu)].map(({ groups }) => groups?.["member"] ?? "");
}

/** Line of the id that is quoted, or given as `id=`, in a complaint. */
function lineOf(words: string, policy: string): number | undefined {
  const id = /["=(](?<id>id\w+)/u.exec(words)?.groups?.["id"];
  if (id === undefined) return undefined;
  const index = policy.split("\n").findIndex((line) => line.includes(`"${id}"`));
  return index === -1 ? undefined : index + 1;
}
