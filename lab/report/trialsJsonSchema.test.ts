import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { trialsJsonSchema } from "./trialsJsonSchema.ts";

/** Other tools read `trials.json` by this file. After a change of the schema: `npm run schema`. */
test("docs/trials.schema.json is the schema by which trials.json is written", async () => {
  const published: unknown = JSON.parse(await readFile(new URL("../../docs/trials.schema.json", import.meta.url), "utf8"));
  expect(published).toEqual(trialsJsonSchema());
});
