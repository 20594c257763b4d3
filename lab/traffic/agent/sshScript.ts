/**
 * The two alphabets of an ssh flow. What the terminal echoes is in lower-case letters, `\r` and `\n`; what the far side answers is
 * in digits and `@ + - ; .` and blanks. Echo and answers may mingle in any order when queued keystrokes come in at once, and still each byte
 * belongs to one of two streams of which every byte is foreseen.
 */
const lineNumberLetters = 6;
const contentLetters = 5;

/** What the return key sends. */
export const returnKey = "\r";

/** Keystrokes of one line, the return key included. */
export const keystrokesOfLine = lineNumberLetters + contentLetters + 1;

/** What makes the content of lines differ between the flows: a whole number below 100,000. */
export type ContentSeed = number;

function letters(value: number, length: number): string {
  return value.toString().padStart(length, "0").replace(/\d/gu, (digit) => String.fromCharCode(97 + Number(digit)));
}

/** The number that line `seq` must carry beside its own. The far side computes the same, in plain sh. */
function contentOf(seq: number, seed: ContentSeed): number {
  return (seq * 7_919 + seed) % 100_000;
}

/** What is typed for line `seq`, with the return key at the end. */
export function typedLine(seq: number, seed: ContentSeed): string {
  return `${letters(seq, lineNumberLetters)}${letters(contentOf(seq, seed), contentLetters)}${returnKey}`;
}

/** What the terminal must echo for a keystroke: the return key as a new line in full. */
export function echoOf(keystroke: string): string {
  return keystroke === returnKey ? "\r\n" : keystroke;
}

/**
 * What the far side must answer to line `seq`: its own count of lines, and the content it computed and found in the line.
 * A line that was not what it must be is answered with `-` in place of `+`.
 */
export function answerTo(seq: number, seed: ContentSeed): string {
  return `${seq}+${contentOf(seq, seed)};`;
}

/**
 * The far side's program, for a pty. First it tells `SSH_CONNECTION` (its own view of the tuple), then it reads lines, computes by itself what
 * each must be, compares, and answers. Builtins of sh only: a fork for each line would be dear on an emulated machine.
 */
export function farSideScript(seed: ContentSeed): string {
  return [
    `enc() { v=$1; left=$2; word=;`,
    `while [ "$left" -gt 0 ]; do`,
    `case $((v % 10)) in 0) l=a;; 1) l=b;; 2) l=c;; 3) l=d;; 4) l=e;; 5) l=f;; 6) l=g;; 7) l=h;; 8) l=i;; 9) l=j;; esac;`,
    `word=$l$word; v=$((v / 10)); left=$((left - 1)); done; }`,
    `printf '@%s;' "$SSH_CONNECTION"`,
    `n=0`,
    `while IFS= read -r line; do`,
    `c=$(((n * 7919 + ${seed}) % 100000)); enc $n ${lineNumberLetters}; must=$word; enc $c ${contentLetters}; must=$must$word`,
    `if [ "$line" = "$must" ]; then printf '%d+%d;' $n $c; else printf '%d-%d;' $n $c; fi`,
    `n=$((n + 1))`,
    `done`,
  ].join("\n");
}
