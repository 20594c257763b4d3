import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { validationJsonSchema } from "./validationJsonSchema.ts";

/** Other tools read `validation.json` by this file. After a change of the schema: `npm run schema`. */
test("docs/validation.schema.json is the schema by which validation.json is written", async () => {
  const published: unknown = JSON.parse(await readFile(new URL("../../docs/validation.schema.json", import.meta.url), "utf8"));
  expect(published).toEqual(validationJsonSchema());
});
