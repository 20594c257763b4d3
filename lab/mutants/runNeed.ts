import type { AlterationRuns } from "../evidence/alterations.ts";
import type { Alteration } from "./alteration.ts";

/**
 * Whether an altered tree is tried by a failover and a failback, or by its files alone. As far as each needs it, a mutant that findings are to catch is
 * not: with the files everything is said that must be. What a check is to catch, what is argued harmless and what is only unusual shows in a run alone.
 */
export function isRun({ kind, caughtBy, harmless }: Pick<Alteration, "kind" | "caughtBy" | "harmless">, runs: AlterationRuns): boolean {
  if (runs !== "needed") return runs === "all";
  return kind === "variant" || harmless !== undefined || caughtBy.some(({ by }) => by === "check");
}
