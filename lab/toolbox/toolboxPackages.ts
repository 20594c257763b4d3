import { hostPrograms } from "../host/requirements.ts";

/** Debian's packages in the toolbox, each once, in order: of the programs that everyone needs, and of what only tests need but for the browser, which is large. */
export function toolboxPackages(): string[] {
  const { everyone, files, tests } = hostPrograms;
  const forTests = Object.keys(tests).filter((name) => name !== "chromium");
  return [...new Set([...Object.values(everyone), ...Object.values(files), ...forTests])].toSorted();
}
