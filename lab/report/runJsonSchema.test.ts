import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { runJsonSchema } from "./bundle.ts";

/** Other tools read `run.json` by this file. After a change of the schema: `npm run schema`. */
test("docs/run.schema.json is the schema by which run.json is written", async () => {
  const published: unknown = JSON.parse(await readFile(new URL("../../docs/run.schema.json", import.meta.url), "utf8"));
  expect(published).toEqual(runJsonSchema());
});
