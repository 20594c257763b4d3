import type Table from "cli-table3";

const names = ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right", "left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"] as const;

/** A table without lines: copied output stays readable. */
export const borderless = Object.fromEntries(names.map((name) => [name, ""]));

/** A table's lines without the blanks that pad the last column. */
export function linesOf(table: Table.Table): string[] {
  return table.toString().split("\n").map((line) => line.trimEnd());
}
