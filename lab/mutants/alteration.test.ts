import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import { parseAlteration, readAlterations } from "./alteration.ts";

const fixtures = fileURLToPath(new URL("../../fixtures", import.meta.url));
const diff = "diff --git a/fw-1/etc/a b/fw-1/etc/a\nindex 1..2 100644\n--- a/fw-1/etc/a\n+++ b/fw-1/etc/a\n@@ -1 +1 @@\n-one\n+two\n";
const header = "Why: it matters\nBase: omarine-snat\n";

describe("an alteration's file", () => {
  test("says why, for which tree, and what must catch it", () => {
    const text = `Why: it\n  matters\n\nBase: omarine-snat\nCaught-by: finding:vrid-differs, check:flows-survive\nCaught-by: check:vips-moved\n\n${diff}`;
    expect(parseAlteration("x", "mutant", text)).toMatchObject({
      ...{ name: "x", kind: "mutant", why: "it matters", base: "omarine-snat", harmless: undefined },
      caughtBy: [
        { by: "finding", id: "vrid-differs" },
        { by: "check", id: "flows-survive" },
        { by: "check", id: "vips-moved" },
      ],
      patches: [{ newFileName: "b/fw-1/etc/a" }],
    });
    expect(parseAlteration("x", "mutant", `${header}Harmless: for a reason\n${diff}`).harmless).toBe("for a reason");
    expect(parseAlteration("x", "variant", `${header}${diff}`).caughtBy).toEqual([]);
  });

  test.each([
    ["no diff", header, /holds no diff/u],
    ["no why", `Base: omarine-snat\nCaught-by: check:a\n${diff}`, /does not say Why/u],
    ["no base", `Why: x\nCaught-by: check:a\n${diff}`, /does not say Base/u],
    ["two bases", `${header}Base: other\nCaught-by: check:a\n${diff}`, /says Base 2 times/u],
    ["nothing that catches it", `${header}${diff}`, /either what catches it or why/u],
    ["both", `${header}Harmless: x\nCaught-by: check:a\n${diff}`, /either what catches it or why/u],
    ["an unknown catcher", `${header}Caught-by: luck\n${diff}`, /"luck" is neither/u],
    ["an unknown field", `${header}Author: me\nCaught-by: check:a\n${diff}`, /the line "Author: me"/u],
    ["a diff cut short", `${header}Caught-by: check:a\n${diff.replace("-one\n", "")}`, /line/u],
  ])("with %s is one clear line", (_, text, line) => {
    const read = (): unknown => parseAlteration("x", "mutant", text);
    expect(read).toThrow(Failure);
    expect(read).toThrow(line);
  });

  test("of a variant has nothing to be caught by", () => {
    expect(() => parseAlteration("x", "variant", `${header}Caught-by: check:a\n${diff}`)).toThrow(/caught by nothing/u);
  });
});

describe("the catalogue", () => {
  test("is read by kind and by name", async () => {
    const all = await readAlterations(fixtures);
    expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(["mutant", "variant"]));
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    expect((await readAlterations(fixtures, ["variant"])).every(({ kind }) => kind === "variant")).toBe(true);
    expect((await readAlterations(fixtures, undefined, ["vrp-none"]).catch((error: unknown) => error)) as Failure).toMatchObject({ exit: 2, message: expect.stringContaining("vrid-differs") as string });
    expect((await readAlterations(fixtures, undefined, ["vrid-differs"])).map(({ name }) => name)).toEqual(["vrid-differs"]);
  });
});
