import { z } from "zod";
import { trialsSchema } from "../evidence/trials.ts";

/** The published form of `trials.json` as a JSON Schema, for tools that are not ours. */
export function trialsJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(trialsSchema);
}
