import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fixturesFolder } from "../lab/run/prepare.ts";
import { sandwich, sandwichDirectors } from "../lab/topology/sandwich.ts";
import { parseClients, sandwichFlowCount, treesFor } from "./startSandwich.ts";

const tree = (name: string) => join(fixturesFolder, name);

describe("--clients", () => {
  test.each([["0", 0], ["1000", 1_000]])("%s", (text, count) => expect(parseClients(text)).toBe(count));
  test.each(["", "-1", "1.5", "many", "49731", "1000000"])("%j is refused", (text) => expect(() => parseClients(text)).toThrow(/whole number/u));
});

describe("--flows", () => {
  test.each([[undefined, 40], [7, 7], [{ tcp: 3, udp: 0, ssh: 0 }, 3]])("%j", (flows, count) => expect(sandwichFlowCount(flows)).toBe(count));
  test("what a director does not balance, or there are no addresses for, is refused", () => {
    expect(() => sandwichFlowCount({ tcp: 3, udp: 1, ssh: 0 })).toThrow(/TCP alone/u);
    expect(() => sandwichFlowCount(251)).toThrow(/251 flows/u);
  });
});

describe("which config trees are started", () => {
  test("the sandwich that survives, unless a tree is named", async () => {
    expect(await treesFor("sandwich", undefined)).toEqual({ topology: sandwich, tree: tree("sandwich-ha"), config: tree("sandwich"), over: [tree("sandwich-ha")] });
    expect(await treesFor(undefined, tree("sandwich"))).toEqual({ topology: sandwich, tree: tree("sandwich"), config: tree("sandwich"), over: [] });
    expect(await treesFor(undefined, tree("sandwich-nft"))).toEqual({ topology: sandwich, tree: tree("sandwich-nft"), config: tree("sandwich"), over: [tree("sandwich-nft")] });
    expect(await treesFor("sandwich-directors", undefined)).toEqual({ topology: sandwichDirectors, tree: tree("sandwich-directors"), config: tree("sandwich"), over: [tree("sandwich-directors")] });
  });
  test("a pair's are none of a sandwich's", async () => {
    expect(await treesFor(undefined, undefined)).toBeUndefined();
    expect(await treesFor("primary-backup", tree("omarine-snat"))).toBeUndefined();
  });
  test("a tree of another topology than the named one is refused", async () => {
    await expect(treesFor("sandwich", tree("omarine-snat"))).rejects.toThrow(/is for primary-backup/u);
  });
});
