import type { CheckResult } from "../evidence/run.ts";
import { firstOf, type Finding } from "./scene.ts";

/** What a check found, where it is about no scene: its parts as in `Finding`, what is not there being nothing. */
export type Found = Omit<Finding, "missing" | "evidence" | "remark"> & Partial<Pick<Finding, "missing" | "evidence">>;

/** Puts it in words. What the lab owes makes the check invalid, whatever else was found; else anything wrong makes it fail. */
export function concluded(id: string, phase: CheckResult["phase"], { measured, allowed, meaning, wrong, missing = [], evidence = ["evidence.json"] }: Found): CheckResult {
  const verdict = missing.length > 0 ? "invalid" : wrong.length > 0 ? "fail" : "pass";
  const explanation = verdict === "pass" ? meaning : verdict === "fail" ? firstOf(wrong, "; ") : `cannot be judged: ${firstOf(missing, "; ")}`;
  return { id, phase, verdict, measured, allowed, explanation, evidence: [...evidence] };
}
