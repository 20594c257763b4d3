import { excerpt, type Quote, type QuotedLine } from "./quote.ts";

/** Lines around the moment that the reader is to see. */
const beforeMs = 1_500;
const afterMs = 8_000;
const mostLines = 16;

/** What a firewall's journal says in plenty and what is quoted elsewhere: each dropped packet, and our own looks at keepalived. */
const chatter = /kernel: .*\bIN=\S* OUT=|Printing VRRP as json/u;
const telling = /error|fail|cannot|can't|\b(?:MASTER|BACKUP|FAULT) STATE\b|commit/iu;

/**
 * What a machine's daemons wrote around a moment of the host's clock. A journal's lines begin with the machine's time of day in UTC, without the year
 * (journalctl, short-precise); where no line is of that moment, the last ones are quoted.
 */
export function journalQuote(file: string, text: string, atMs: number): Quote | undefined {
  const year = new Date(atMs).getUTCFullYear();
  const lines = text.split("\n").flatMap((line, index) => (line.trim() === "" || chatter.test(line) ? [] : [{ line, number: index + 1, sinceMs: Date.parse(`${line.slice(0, 22).replace(/^(\w{3}) +(\d+) /u, `$1 $2 ${year} `)}Z`) - atMs }]));
  const near = lines.filter(({ sinceMs }) => sinceMs >= -beforeMs && sinceMs <= afterMs);
  const quoted = (near.length > 0 ? near.filter(({ line }) => telling.test(line) || /keepalived|conntrack|notify/iu.test(line)) : lines.slice(-6)).map(({ line, number }) => ({ line, number }));
  if (quoted.length === 0) return undefined;
  return { file, shows: near.length > 0 ? "What its daemons wrote around that moment" : "The last that its daemons wrote", lines: collapsed(quoted).slice(0, mostLines) };
}

/** Lines that say the same but for numbers, one after another, as one with their count. */
function collapsed(lines: readonly { readonly line: string; readonly number: number }[]): QuotedLine[] {
  const groups: { line: string; number: number; count: number; same: string }[] = [];
  for (const { line, number } of lines) {
    const same = line.slice(22).replace(/\d+/gu, "#");
    const last = groups.at(-1);
    if (last?.same === same) last.count += 1;
    else groups.push({ line, number, count: 1, same });
  }
  return groups.map(({ line, number, count }) => ({ text: `${excerpt(line)}${count > 1 ? ` (and ${count - 1} more like it)` : ""}`, number, marked: telling.test(line) }));
}
