import { z } from "zod";
import type { TroubledUnit } from "../evidence/comingUp.ts";
import type { MachineShell } from "../machine/shell.ts";
import { parsedJson } from "./parsed.ts";

/** What a unit's state is when something is wrong with it, besides `failed`: it does not come to the end of its start, or is started again and again. */
const unfinished: ReadonlySet<string> = new Set(["start-pre", "start", "start-post", "auto-restart"]);

const unitsSchema = z.array(z.object({ unit: z.string(), load: z.string(), active: z.string(), sub: z.string() }));

/** Prints what `parseTroubledUnits` reads. Source: systemctl(1). */
export const unitsCommand = "systemctl list-units --all --type=service,mount,socket --output=json";

/**
 * The units that are in trouble, out of the answer to `unitsCommand`: failed, still starting, or waiting to be started again. The lab's own are left out.
 * @throws Failure when the answer has another form.
 */
export function parseTroubledUnits(text: string): { readonly unit: string; readonly state: string }[] {
  return parsedJson("systemctl's list of units", unitsSchema, text)
    .filter(({ unit, active, sub }) => !unit.startsWith("fwlab-") && (active === "failed" || (active === "activating" && unfinished.has(sub))))
    .map(({ unit, active, sub }) => ({ unit, state: active === sub ? active : `${active} (${sub})` }));
}

/** A command's answer, kept as it came. */
type Save = (name: string, text: string) => Promise<void>;

const lookWithinMs = 10_000;
const quotedLines = 4;

/**
 * The units of a machine that are in trouble, with the last lines of each one's journal.
 * @param save keeps the raw answers, by a name of theirs.
 * @throws Failure when the machine does not answer within 10 s, or in another form.
 */
export async function troubledUnits(shell: MachineShell, save: Save, signal?: AbortSignal): Promise<TroubledUnit[]> {
  const options = { timeoutMs: lookWithinMs, ...(signal && { signal }) };
  const answer = await shell.must(unitsCommand, options);
  await save("units.json", answer);
  const found: TroubledUnit[] = [];
  for (const { unit, state } of parseTroubledUnits(answer)) {
    const journal = await shell.must(`journalctl --boot --no-pager --output=cat --lines=${quotedLines} --unit='${unit.replaceAll("'", "")}'`, options);
    await save(`${unit.replace(/[^\w.@-]/gu, "_")}.txt`, journal);
    found.push({ machine: shell.name, unit, state, journal: journal.split("\n").filter((line) => line.trim() !== "") });
  }
  return found;
}
