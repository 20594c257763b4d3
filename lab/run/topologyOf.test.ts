import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { promisesSchema } from "../config/promises.ts";
import { Failure } from "../failure/failure.ts";
import { topologyOf } from "./topologyOf.ts";

let tree: string;
beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), "fwlab-topology-"));
});
afterEach(() => rm(tree, { recursive: true }));

test("a tree that says nothing is for the pair over IPv4", async () => {
  expect((await topologyOf(tree)).name).toBe("primary-backup");
});

test.each(promisesSchema.shape.topology.unwrap().options)("%s, which a tree may be for, is there", async (name) => {
  await writeFile(join(tree, "fwlab.json"), JSON.stringify({ topology: name }));
  expect((await topologyOf(tree)).name).toBe(name);
});

test("a topology that is none is the tree's fault", async () => {
  await writeFile(join(tree, "fwlab.json"), '{ "topology": "ring" }');
  await expect(topologyOf(tree)).rejects.toThrow(Failure);
});
