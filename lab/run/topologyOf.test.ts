import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { promisesSchema } from "../config/promises.ts";
import { Failure } from "../failure/failure.ts";
import { sandwiches } from "../topology/sandwich.ts";
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

test.each(names.filter((name) => !sandwiches.has(name)))("%s, which a tree may be for, is there", async (name) => {
  await writeFile(join(tree, "fwlab.json"), JSON.stringify({ topology: name }));
  expect((await topologyOf(tree)).name).toBe(name);
});

test.each([...sandwiches.keys()])("a tree of %s is no pair's, and is told who runs it", async (name) => {
  expect(names).toContain(name);
  await writeFile(join(tree, "fwlab.json"), JSON.stringify({ topology: name }));
  await expect(topologyOf(tree)).rejects.toThrow(`it is for the topology ${name}`);
});

test("a topology that is none is the tree's fault", async () => {
  await writeFile(join(tree, "fwlab.json"), '{ "topology": "ring" }');
  await expect(topologyOf(tree)).rejects.toThrow(Failure);
});
