/** The last line of a run or of trials on the terminal. */
export function reportLine(path: string): string {
  return `report     ${path}`;
}
