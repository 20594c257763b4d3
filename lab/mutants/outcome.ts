import type { AlterationOutcome, AlterationResult, Catcher } from "../evidence/alterations.ts";
import type { Validation } from "../evidence/validation.ts";
import type { Alteration } from "./alteration.ts";

type Judged = Pick<AlterationResult, "outcome" | "caughtBy" | "found" | "told">;

/** What a validation of an altered tree says of it. Hints count for nothing, and checks of a run that cannot judge neither. */
export function outcomeOf(alteration: Pick<Alteration, "kind" | "caughtBy" | "harmless">, validation: Pick<Validation, "verdict" | "reason" | "findings" | "run">): Judged {
  const { findings, run, verdict, reason } = validation;
  const loud = findings.filter(({ severity }) => severity !== "hint");
  const failing = run?.verdict === "invalid" ? [] : (run?.failing.filter((check) => check.verdict === "fail") ?? []);
  const found: Catcher[] = unique([...loud.map(({ id }) => ({ by: "finding" as const, id })), ...failing.map(({ id }) => ({ by: "check" as const, id }))]);
  const caughtBy = alteration.caughtBy.filter((expected) => found.some((each) => same(each, expected)));
  const outcome = decided(alteration, { found, caughtBy, hasErrors: loud.some(({ severity }) => severity === "error"), run, verdict });
  const [first] = loud;
  return { outcome, caughtBy, found, told: first === undefined ? reason : `${first.file}${first.line === null ? "" : `:${first.line}`}: ${first.wrong}` };
}

interface Seen extends Pick<Judged, "found" | "caughtBy">, Pick<Validation, "run" | "verdict"> {
  readonly hasErrors: boolean;
}

function decided({ kind, caughtBy: expected, harmless }: Pick<Alteration, "kind" | "caughtBy" | "harmless">, { found, caughtBy, hasErrors, run, verdict }: Seen): AlterationOutcome {
  if (kind === "variant") return found.length > 0 || verdict === "fail" ? "alarm" : verdict === "invalid" ? "invalid" : "passed";
  if (harmless !== undefined) return verdict === "fail" || hasErrors ? "harmful" : verdict === "invalid" ? "invalid" : "harmless";
  // Without a run no check was made: only the findings that are expected can be missed.
  const tried = run === null ? expected.filter(({ by }) => by === "finding") : expected;
  if (tried.length === 0) return "untried";
  if (tried.every((each) => caughtBy.includes(each))) return "caught";
  const missedFinding = tried.some((each) => each.by === "finding" && !caughtBy.includes(each));
  return run?.verdict === "invalid" && !missedFinding ? "invalid" : "escaped";
}

const same = (a: Catcher, b: Catcher): boolean => a.by === b.by && a.id === b.id;

function unique(catchers: readonly Catcher[]): Catcher[] {
  return catchers.filter((each, index) => catchers.findIndex((other) => same(each, other)) === index);
}
