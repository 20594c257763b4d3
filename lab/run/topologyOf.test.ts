import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { promisesSchema } from "../config/promises.ts";
import { Failure } from "../failure/failure.ts";
import { sandwich } from "../topology/sandwich.ts";
import { topologyOf } from "./topologyOf.ts";

let tree: string;
beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), "fwlab-topology-"));
});
afterEach(() => rm(tree, { recursive: true }));

test("a tree that says nothing is for the pair over IPv4", async () => {
  expect((await topologyOf(tree)).name).toBe("primary-backup");
});

const names = promisesSchema.shape.topology.unwrap().options;

test.each(names.filter((name) => name !== sandwich.name))("%s, which a tree may be for, is there", async (name) => {
  await writeFile(join(tree, "fwlab.json"), JSON.stringify({ topology: name }));
  expect((await topologyOf(tree)).name).toBe(name);
});

test("a sandwich's tree is no pair's, and is told who runs it", async () => {
  expect(names).toContain(sandwich.name);
  await writeFile(join(tree, "fwlab.json"), JSON.stringify({ topology: sandwich.name }));
  await expect(topologyOf(tree)).rejects.toThrow(/it is for the topology sandwich/u);
});

test("a topology that is none is the tree's fault", async () => {
  await writeFile(join(tree, "fwlab.json"), '{ "topology": "ring" }');
  await expect(topologyOf(tree)).rejects.toThrow(Failure);
});
