import { fileAt, type NodeFiles } from "../config/nodeFiles.ts";
import { isStarted, readUnits, type Unit } from "../config/units.ts";
import type { Certainty, Finding, Severity } from "../evidence/finding.ts";
import { quoted } from "../machine/quoted.ts";
import { ask, type Asking } from "./asking.ts";
import { endless, findingsFrom, type Checker, type Complaint } from "./complaint.ts";

export const unitChecker: Checker = {
  id: "unit-verify",
  causes: "systemd leaves out what it cannot read, and does not start what it cannot run",
  remedy: "Mend the line; `systemd-analyze verify UNIT` on the node tells what systemd reads",
  explains: ["steady-before"],
};

/** `systemd-analyze verify` of each unit that the trees write or change. Templates are no units before they have an instance. */
export async function checkUnits(asking: Asking, node: NodeFiles): Promise<Finding[]> {
  const units = readUnits(node);
  const names = [...units.values()].filter(({ files, masked, name }) => files.length > 0 && masked === undefined && !name.includes("@.")).map(({ name }) => name);
  const [first] = names.flatMap((name) => units.get(name)?.files ?? []);
  if (first === undefined) return [];
  const answer = await ask(asking, `systemd-analyze verify --man=no --recursive-errors=no ${names.map(quoted).join(" ")}`);
  if (answer.endless) return [endless(node, first, answer)];
  return findingsFrom(node, unitChecker, unitComplaints(answer.output, units).filter(({ path }) => fileAt(node, path) !== undefined));
}

/** systemd's complaints: `FILE:LINE: …` and `UNIT: …`. The image's own units are not the tree's matter. */
export function unitComplaints(output: string, units: ReadonlyMap<string, Unit>): Complaint[] {
  const complaints = output.split("\n").flatMap((said): Complaint[] => {
    const [, file, line, text] = /^(\/[^:]+):(\d+): (.*)$/u.exec(said) ?? [];
    if (file !== undefined && text !== undefined) return [{ path: file, line: Number(line), text: `systemd: ${text}`, severity: "warning", certainty: "certain" }];
    const [, name, words] = /^(\S+\.\w+): (.*)$/u.exec(said) ?? [];
    const unit = name === undefined ? undefined : units.get(name);
    if (unit === undefined || words === undefined) return [];
    const command = /^Command (\S+) is not executable/u.exec(words)?.[1];
    const setting = unit.settings.findLast(({ key, value }) => key.startsWith("Exec") && command !== undefined && value.includes(command));
    // What the image's own unit says is not the tree's to mend.
    if (command !== undefined && setting === undefined) return [];
    const place = setting === undefined ? unit.files[0] : unit.files.find(({ file: from }) => from === setting.file);
    return place === undefined ? [] : [{ path: place.path, line: setting?.line ?? null, text: `systemd: ${words}`, ...weight(unit, units) }];
  });
  return complaints;
}

/** A unit that cannot run is the pair's matter where a boot starts it. */
function weight({ name }: Unit, units: ReadonlyMap<string, Unit>): { readonly severity: Severity; readonly certainty: Certainty } {
  return isStarted(units, name) ? { severity: "error", certainty: "certain" } : { severity: "hint", certainty: "certain" };
}
