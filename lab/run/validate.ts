import { join } from "node:path";
import { severities, certainties, type Finding } from "../evidence/finding.ts";
import type { CheckResult, Verdict } from "../evidence/run.ts";
import { validationSchema, type FailingCheck, type Validation } from "../evidence/validation.ts";
import type { AcceleratorWish } from "../machine/accelerator.ts";
import type { Progress } from "../progress/progress.ts";
import { writeWhole } from "../report/atomicFile.ts";
import { newRunId } from "../report/bundle.ts";
import type { FlowCounts } from "../traffic/flowSpec.ts";
import type { FinishedRun } from "./judgedRun.ts";
import { portablePath } from "./portablePath.ts";
import type { ValidationInput } from "./validationInput.ts";

/** What both steps are told. */
export interface StepOptions {
  readonly input: ValidationInput;
  /** Config trees, lowest first, with what a policy was compiled to. */
  readonly trees: readonly string[];
  readonly accelerator: AcceleratorWish;
  readonly cold: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface DynamicOptions extends StepOptions {
  readonly flows: number | FlowCounts | undefined;
  /** Whether machines that had to be given the tree are kept with it: it takes some seconds now, and the next time they are there. */
  readonly keepsMachines: boolean;
  readonly runsFolder: string;
  readonly command: string | undefined;
}

/** What was found without the fault. */
export interface Looked {
  readonly findings: readonly Finding[];
  /** Whether the checkers had seen all files before: the tree is validated again. */
  readonly seenBefore: boolean;
}

/** The parts that a validation is made of. */
export interface ValidationParts {
  /** Compiles a Firewall Builder file in a guest. Gives the trees with what came out laid over the one that it is in. */
  readonly compile: (options: StepOptions) => Promise<readonly string[]>;
  /** Everything that is found without the fault. */
  readonly look: (options: StepOptions) => Promise<Looked>;
  /** The failover and the failback, judged. */
  readonly conduct: (options: DynamicOptions) => Promise<FinishedRun>;
  /** For each check that fails, the findings that explain it, the best first. */
  readonly explain: (checks: readonly CheckResult[], findings: readonly Finding[]) => readonly { readonly check: CheckResult; readonly findings: readonly Finding[] }[];
}

export interface ValidateOptions extends Omit<DynamicOptions, "trees" | "keepsMachines"> {
  /** As of the dynamic step, once a tree is seen again: of one that is being worked on, most states are seen once. False unless it is said. */
  readonly keepsMachines?: boolean;
  /** Only the files are looked at; nothing is broken. */
  readonly staticOnly: boolean;
  readonly parts: ValidationParts;
}

/** A validation that has come to its end, one way or the other. */
export interface FinishedValidation {
  readonly validation: Validation;
  /** Folder of `validation.json`; the run's bundle too, when there was one. */
  readonly folder: string;
  /** What ended its run before its time, if something did. */
  readonly interrupted: Error | undefined;
}

/**
 * Validates a config tree in two steps: what is found in its files and by the guests' own checkers, then a failover and a failback with it. Writes
 * `validation.json` into the run's bundle, or into a folder of its own when there was no run.
 * @throws Failure when host, image, accelerator or tree do not allow a step at all, or the result cannot be written.
 */
export async function validate({ staticOnly, keepsMachines = false, parts, ...rest }: ValidateOptions): Promise<FinishedValidation> {
  const { input, runsFolder } = rest;
  const begin = performance.now();
  const since = (from: number): number => Math.round(performance.now() - from);
  const trees = input.policy === undefined ? input.trees : await parts.compile({ ...rest, trees: input.trees });
  const options = { ...rest, trees };
  const looked = await parts.look(options);
  const findings = sorted(looked.findings);
  const staticMs = since(begin);
  const dynamicBegin = performance.now();
  const finished = staticOnly ? undefined : await parts.conduct({ ...options, keepsMachines: keepsMachines && looked.seenBefore });
  const run = finished && runPart(finished, findings, parts.explain);
  const id = finished?.run.id ?? newRunId();
  const validation = validationSchema.parse({
    schema: 1,
    id,
    ...verdictOf(findings, run),
    config: {
      path: portablePath(input.tree),
      base: input.base === undefined ? null : portablePath(input.base),
      policy: input.policy === undefined ? null : portablePath(input.policy),
      sha256: finished?.run.config.sha256 ?? input.sha256,
    },
    promises: input.promises,
    findings,
    run: run ?? null,
    durations: { staticMs, dynamicMs: finished === undefined ? null : since(dynamicBegin), totalMs: since(begin) },
  });
  const folder = finished?.bundle ?? join(runsFolder, id);
  await writeWhole(folder, "validation.json", `${JSON.stringify(validation, undefined, 2)}\n`);
  return { validation, folder, interrupted: finished?.interrupted };
}

/** The worst first, the surest first among those, then by place. */
export function sorted(findings: readonly Finding[]): Finding[] {
  const key = ({ severity, certainty }: Finding): number => severities.indexOf(severity) * certainties.length + certainties.indexOf(certainty);
  return findings.toSorted((a, b) => key(a) - key(b) || (a.file < b.file ? -1 : a.file > b.file ? 1 : (a.line ?? 0) - (b.line ?? 0)));
}

function runPart({ run, bundle }: FinishedRun, findings: readonly Finding[], explain: ValidationParts["explain"]): NonNullable<Validation["run"]> {
  const explained = new Map(explain(run.checks, findings).map((each) => [each.check, each.findings]));
  const failing: FailingCheck[] = run.checks
    .filter(({ verdict }) => verdict !== "pass")
    .map((check) => {
      const { id, phase, verdict, measured, allowed, explanation } = check;
      return { id, phase, verdict, measured, allowed, explanation, explainedBy: (explained.get(check) ?? []).map((finding) => findings.indexOf(finding)) };
    });
  return { id: run.id, bundle: portablePath(bundle), verdict: run.verdict, reason: run.reason, failing };
}

/**
 * Fail for an error that is certain, whatever a run says, and for a run that fails; the rest is the run's. Without a run and such an error it is a pass, of
 * the files alone.
 */
export function verdictOf(findings: readonly Finding[], run: Validation["run"] | undefined): { verdict: Verdict; reason: string } {
  const certain = findings.filter(({ severity, certainty }) => severity === "error" && certainty === "certain");
  const [first] = certain;
  const more = (count: number): string => (count > 0 ? `; and ${count} more` : "");
  if (run?.verdict === "fail") return { verdict: "fail", reason: `the run fails: ${run.reason}${explainedText(findings, run)}` };
  if (first !== undefined) {
    const told = run === null || run === undefined ? "" : run.verdict === "pass" ? "; the run passed all the same, with its flows and its fault" : `; the run is invalid: ${run.reason}`;
    return { verdict: "fail", reason: `${place(first)}: ${first.wrong}${more(certain.length - 1)}${told}` };
  }
  if (run === null || run === undefined) return { verdict: "pass", reason: `no certain error in the files (${countsText(findings)}); no failover was tried` };
  return { verdict: run.verdict, reason: `${run.reason} (${countsText(findings)} in the files)` };
}

/** The finding that explains most of what fails, the likeliest one among equals. */
function explainedText(findings: readonly Finding[], { failing }: NonNullable<Validation["run"]>): string {
  const votes = new Map<number, number>();
  for (const { explainedBy } of failing) for (const index of explainedBy.slice(0, 1)) votes.set(index, (votes.get(index) ?? 0) + 1);
  const [best] = [...votes].toSorted(([a, countA], [b, countB]) => countB - countA || a - b);
  const finding = best && findings[best[0]];
  return finding === undefined ? "" : `; explained by ${place(finding)}: ${finding.wrong}`;
}

function place({ file, line }: Finding): string {
  return line === null ? file : `${file}:${line}`;
}

function countsText(findings: readonly Finding[]): string {
  const counts = severities.flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? "" : "s"}`];
  });
  return counts.length === 0 ? "no finding" : counts.join(", ");
}
