import { z } from "zod";
import { validationSchema } from "../evidence/validation.ts";

/** The published form of `validation.json` as a JSON Schema, for tools that are not ours. */
export function validationJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(validationSchema);
}
