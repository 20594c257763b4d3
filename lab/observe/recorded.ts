import { readFileSync } from "node:fs";

/** A tool's recorded answer, for unit tests. */
export function recorded(name: string): string {
  return readFileSync(new URL(`recorded/${name}.txt`, import.meta.url), "utf8");
}
