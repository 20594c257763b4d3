import { hostPrograms } from "../host/requirements.ts";

/** What a toolbox is for: a lab, or fwlab's own tests, some of which look at pages in a browser. */
export type ToolboxPurpose = "lab" | "tests";

/** Debian's packages in the toolbox, each once, in order: the host's programs, and what tests call beside them; the browser, which is large, only where tests run. */
export function toolboxPackages(purpose: ToolboxPurpose): string[] {
  const { everyone, files, tests } = hostPrograms;
  const forTests = Object.keys(tests).filter((name) => name !== "chromium" || purpose === "tests");
  return [...new Set([...Object.values(everyone), ...Object.values(files), ...forTests])].toSorted();
}
