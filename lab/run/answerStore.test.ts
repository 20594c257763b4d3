import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RawAnswer } from "../checkers/asking.ts";
import { AnswerStore } from "./answerStore.ts";

const parts = { machines: "1234", machine: "fw-1", tree: "abcd" };
const answer = (command: string, endless = false): RawAnswer => ({ command, exitCode: 0, output: `of ${command}`, endless, tookMs: 12 });
const asked = [answer("nft -c -f /etc/nftables.conf"), answer("sh -n /etc/keepalived/notify")];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fwlab-answers-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("what was answered is recalled, for the same machine with the same files alone", async () => {
  const store = new AnswerStore(folder);
  expect(await store.recall(parts)).toBeUndefined();
  await store.keep(parts, asked);
  expect(await store.recall(parts)).toEqual(asked);
  for (const other of [{ ...parts, machines: "5678" }, { ...parts, machine: "fw-2" }, { ...parts, tree: "abce" }]) expect(await store.recall(other)).toBeUndefined();
});

test("a checker that had to be ended is asked again", async () => {
  const store = new AnswerStore(folder);
  await store.keep(parts, [...asked, answer("systemctl start firewall", true)]);
  expect(await store.recall(parts)).toBeUndefined();
  expect(await readdir(folder)).toEqual([]);
});

test("what cannot be read is asked again, and kept anew", async () => {
  const store = new AnswerStore(folder);
  await store.keep(parts, asked);
  const [file = ""] = await readdir(folder);
  for (const damaged of ["", "{", "[]", '[{"command":"x"}]']) {
    await writeFile(join(folder, file), damaged);
    expect(await store.recall(parts)).toBeUndefined();
  }
  await store.keep(parts, asked);
  expect(await store.recall(parts)).toEqual(asked);
});

test("the least recently used go first", async () => {
  const store = new AnswerStore(folder, 2);
  const of = (tree: string) => ({ ...parts, tree });
  for (const tree of ["one", "two"]) {
    await store.keep(of(tree), asked);
    for (const name of await readdir(folder)) await utimes(join(folder, name), new Date(1_000), new Date(1_000));
  }
  expect(await store.recall(of("one"))).toEqual(asked);
  await store.keep(of("three"), asked);
  expect([await store.recall(of("one")), await store.recall(of("two")), await store.recall(of("three"))]).toEqual([asked, undefined, asked]);
});
