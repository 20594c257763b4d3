/** Longest text that is shown whole: a job summary may have 1 MiB in all. */
const longest = 2_000;

/**
 * Text as GitHub's Markdown shows it, whatever is in it: nothing is markup, HTML, mathematics or a mention, and it is one line.
 * Source: GitHub Flavored Markdown Spec 0.29, 2.4 and 6.2.
 */
export function markdownText(text: string): string {
  const line = text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
  const shown = line.length > longest ? `${line.slice(0, longest - 3)}...` : line;
  return shown
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/[\\`*_[\]|~#$@!]/gu, "\\$&")
    // Bare addresses would become links.
    .replace(/:\/\//gu, "&#58;//")
    .replace(/\bwww\./giu, "www&#46;");
}

/** A table of text; nothing when it has no rows. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.map(markdownText).join(" | ")} |`;
  return [line(head), `|${" --- |".repeat(head.length)}`, ...rows.map(line), ""];
}

/** Lines as they stand, in a block of their own. */
export function markdownBlock(lines: readonly string[]): string[] {
  const text = lines.join("\n");
  // Longer than any run of backticks within: nothing in the text ends the block.
  const fence = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/gu)].map(([run]) => run.length + 1)));
  return [fence, ...text.split("\n"), fence, ""];
}
