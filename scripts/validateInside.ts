import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ExitCode } from "../lab/failure/failure.ts";
import { prepareNamespaces } from "../lab/host/labFolder.ts";
import { TerminalProgress } from "../lab/progress/terminal.ts";
import { validationAnnotations } from "../lab/report/ci/annotation.ts";
import { tellCi } from "../lab/report/ci/tellCi.ts";
import { validationSummary } from "../lab/report/ci/validationSummary.ts";
import { sarifOf } from "../lab/report/sarif.ts";
import { lookOf } from "../lab/report/terminal.ts";
import { renderValidation } from "../lab/report/validationTerminal.ts";
import { exitCodeOf } from "../lab/run/judgedRun.ts";
import { placesInRepository } from "../lab/run/placeInRepository.ts";
import { portablePath } from "../lab/run/portablePath.ts";
import { runsFolder } from "../lab/run/prepare.ts";
import { validate } from "../lab/run/validate.ts";
import type { ValidationInput } from "../lab/run/validationInput.ts";
import { validationParts } from "../lab/run/validationParts.ts";
import { ownVersions } from "../lab/run/versions.ts";
import { interruptionInside } from "./interruption.ts";
import { reportFailure } from "./reportFailure.ts";
import { reportLine } from "./reportLine.ts";
import type { ValidateVerbOptions } from "./validateOptions.ts";
import { writtenReport } from "./writtenReport.ts";

/** The inner half of `fwlab validate`: this process is the first of the lab's namespaces, and they end with it. */
export async function validateInside(input: ValidationInput, { static: staticOnly, flows, accel, cold, verbose, json, sarif }: ValidateVerbOptions, command: string): Promise<ExitCode> {
  const signal = interruptionInside();
  // Standard output is the programs' that read the JSON.
  using progress = new TerminalProgress(json === true ? process.stderr : process.stdout, { verbose });
  await prepareNamespaces(signal);
  const { validation, folder, interrupted } = await validate({ input, staticOnly, flows, accelerator: accel, cold, keepsMachines: true, runsFolder, command, parts: validationParts, progress, signal });
  progress[Symbol.dispose]();
  if (interrupted !== undefined) reportFailure(interrupted);
  const file = join(folder, "validation.json");
  if (json === true) console.log(JSON.stringify(validation, undefined, 2));
  else console.log(renderValidation(validation, portablePath(folder), lookOf(process.stdout, process.env)));
  if (typeof json === "string") await copyFile(file, json);
  const { fwlab = "0.0.0" } = await ownVersions();
  const files = validation.findings.flatMap((finding) => [finding.file, ...finding.also.map((also) => also.file)]);
  const inRepository = await placesInRepository(input, files);
  if (sarif !== undefined) await writeFile(sarif, `${JSON.stringify(sarifOf(validation, { version: fwlab, inRepository }), undefined, 2)}\n`);
  const told = portablePath(folder);
  const write = (line: string): void => (json === true ? console.error(line) : console.log(line));
  if (validation.run !== null) write(reportLine(await writtenReport(folder)));
  await tellCi({ markdown: validationSummary(validation, told), annotations: validationAnnotations(validation, told, inRepository) }, { environment: process.env, write });
  return exitCodeOf(validation.verdict);
}
