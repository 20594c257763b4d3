import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { comparisonJsonSchema } from "./comparisonJsonSchema.ts";

/** Other tools read `fwlab compare --json` by this file. After a change of the schema: `npm run schema`. */
test("docs/comparison.schema.json is the schema by which a comparison is written", async () => {
  const published: unknown = JSON.parse(await readFile(new URL("../../docs/comparison.schema.json", import.meta.url), "utf8"));
  expect(published).toEqual(comparisonJsonSchema());
});
