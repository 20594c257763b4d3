import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium, type Browser } from "playwright-core";

/** Names that the browser has on different systems: the same list by which `npm test` looks for it. */
const { tests } = JSON.parse(readFileSync(new URL("../../host/programs.json", import.meta.url), "utf8")) as { readonly tests: { readonly chromium: readonly string[] } };

/** Path of the browser by PATH; undefined when there is none. */
export const browserPath = (process.env["PATH"] ?? "").split(delimiter).flatMap((folder) => tests.chromium.map((name) => join(folder, name))).find(isExecutable);

/** Why tests in a browser are not run; undefined when they are. In CI a browser that is missing is a failure. */
export const noBrowser = browserPath === undefined && process.env["CI"] === undefined ? `skipped: none of ${tests.chromium.join(", ")} is in PATH` : undefined;

/** Starts the browser without a window. Its sandbox does not start as root. */
export function launched(): Promise<Browser> {
  if (browserPath === undefined) throw new Error(`none of ${tests.chromium.join(", ")} is in PATH`);
  return chromium.launch({ executablePath: browserPath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
