import { expect, test } from "vitest";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { holdingsText, ownerOf, type Holdings } from "./watchStates.ts";

const [outside, inside] = ["192.168.1.100", "192.168.0.100"];
const holdings = (first: readonly string[] | undefined, second: readonly string[] | undefined): Holdings => new Map([["fw-1", first], ["fw-2", second]]);

test.each([
  ["one has both, the other none", holdings([], [outside, inside]), "fw-2"],
  ["the other is off, and was not asked", new Map([["fw-2", [outside, inside]]]), "fw-2"],
  ["each has both", holdings([outside, inside], [outside, inside]), undefined],
  ["each has one: no sync group", holdings([outside], [inside]), undefined],
  ["one of the two is nowhere", holdings([outside], []), undefined],
  ["nobody has any", holdings([], []), undefined],
  ["the other does not answer, and may hold what it wants", holdings([outside, inside], undefined), undefined],
])("the owner when %s", (_, held, owner) => {
  expect(ownerOf(held, primaryBackup)).toBe(owner);
});

test("holdings are told for each firewall, one that does not answer too", () => {
  expect(holdingsText(holdings([outside, inside], undefined))).toBe("fw-1 holds 192.168.1.100 and 192.168.0.100, fw-2 does not answer");
});
