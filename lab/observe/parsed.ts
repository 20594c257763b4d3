import { z } from "zod";
import { exitCode, Failure } from "../failure/failure.ts";

/** The failure of a tool whose answer does not have the form that its parser knows. `text` is quoted, cut at 200 characters. */
export function unreadable(tool: string, seen: string, text: string, cause?: unknown): Failure {
  return new Failure({
    tried: `read the answer of ${tool}`,
    seen: `${seen}: ${JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)}`,
    remedy: "The tool's version may differ from the ones that lab/observe knows; its raw answer is in the bundle",
    exit: exitCode.invalid,
    cause,
  });
}

/**
 * Parses a tool's JSON answer and checks it against a schema.
 * @throws Failure that names the tool, when the answer is no JSON or has another form.
 */
export function parsedJson<T extends z.ZodType>(tool: string, schema: T, text: string): z.infer<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(tool, "no JSON", text, error);
  }
  return checked(tool, schema, value, text);
}

/** Checks a parsed value against a schema. @throws Failure that names the tool and the first fields that do not fit. */
export function checked<T extends z.ZodType>(tool: string, schema: T, value: unknown, text: string): z.infer<T> {
  const result = schema.safeParse(value);
  if (!result.success) {
    const issues = result.error.issues.slice(0, 3).map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw unreadable(tool, `unknown form (${issues.join("; ")})`, text, result.error);
  }
  return result.data;
}
