/** Words as one line that a POSIX shell reads as these words (POSIX.1-2017, 2.2.2: nothing is special between single quotes but the quote). */
export function shellLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}
