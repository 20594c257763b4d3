import { appendFile } from "node:fs/promises";
import { exitCode, Failure, messageOf } from "../../failure/failure.ts";
import { errorCommand, type Annotation } from "./annotation.ts";

export interface CiReport {
  readonly markdown: string;
  readonly annotations: readonly Annotation[];
}

export interface CiPlace {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes the lines of workflow commands: standard output. */
  readonly write: (line: string) => void;
}

/** Whether this runs on GitHub Actions. Source: docs.github.com, Variables reference. */
export function onGithub(environment: CiPlace["environment"]): boolean {
  return environment["GITHUB_ACTIONS"] === "true";
}

/**
 * Tells a CI what came of a run: the summary is appended to the file that `GITHUB_STEP_SUMMARY` names, and annotations are printed on GitHub Actions;
 * nothing happens elsewhere. @throws Failure when the summary cannot be written.
 */
export async function tellCi({ markdown, annotations }: CiReport, { environment, write }: CiPlace): Promise<void> {
  if (onGithub(environment)) for (const annotation of annotations) write(errorCommand(annotation));
  const file = environment["GITHUB_STEP_SUMMARY"] ?? "";
  if (file === "") return;
  try {
    await appendFile(file, `${markdown}\n`);
  } catch (error) {
    throw new Failure({ tried: `append the job's summary to ${file}`, seen: messageOf(error), remedy: "Set GITHUB_STEP_SUMMARY to a file that can be written, or unset it", exit: exitCode.usage, cause: error });
  }
}
