/** The words of a rule as iptables-save writes them: split at blanks, quotes and backslashes taken away. */
export function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (const [, quoted, bare] of line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/gu)) words.push(quoted?.replaceAll(/\\(.)/gu, "$1") ?? bare ?? "");
  return words;
}

/** One option of a rule: its name, its arguments, and whether `!` stands before it. */
export interface Option {
  readonly name: string;
  readonly values: readonly string[];
  readonly negated: boolean;
}

/** The options of a rule in their order. */
export function optionsOf(words: readonly string[]): Option[] {
  const options: { name: string; values: string[]; negated: boolean }[] = [];
  let negated = false;
  for (const word of words) {
    const current = options.at(-1);
    if (word === "!") {
      negated = true;
    } else if (/^--?[a-zA-Z]/u.test(word) && !(current !== undefined && takesAnyWord.has(current.name) && current.values.length === 0)) {
      options.push({ name: word, values: [], negated });
      negated = false;
    } else {
      current?.values.push(word);
    }
  }
  return options;
}

/** Options whose text may look like an option. */
const takesAnyWord = new Set(["--comment", "--log-prefix", "--nflog-prefix", "--string"]);
