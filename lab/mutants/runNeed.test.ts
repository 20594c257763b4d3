import { expect, test } from "vitest";
import { isRun } from "./runNeed.ts";

const finding = { by: "finding" as const, id: "vrid-differs" };
const check = { by: "check" as const, id: "flows-survive" };
const alterations = {
  "a mutant that findings catch": { kind: "mutant", caughtBy: [finding], harmless: undefined },
  "a mutant that a check catches": { kind: "mutant", caughtBy: [check], harmless: undefined },
  "a mutant that both catch": { kind: "mutant", caughtBy: [finding, check], harmless: undefined },
  "a mutant that is argued harmless": { kind: "mutant", caughtBy: [], harmless: "for a reason" },
  "a variant": { kind: "variant", caughtBy: [], harmless: undefined },
} as const;

test.each([
  ["needed", ["a mutant that a check catches", "a mutant that both catch", "a mutant that is argued harmless", "a variant"]],
  ["all", Object.keys(alterations)],
  ["none", []],
] as const)("runs that are %s", (runs, names) => {
  expect(Object.entries(alterations).filter(([, alteration]) => isRun(alteration, runs)).map(([name]) => name)).toEqual(names);
});
