import { z } from "zod";
import { comparisonSchema } from "./comparison.ts";

/** The published form of `fwlab compare --json` as a JSON Schema, for tools that are not ours. */
export function comparisonJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(comparisonSchema);
}
