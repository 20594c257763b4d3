import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { HistoryEntry } from "../evidence/history.ts";
import { Failure } from "../failure/failure.ts";
import { appendHistory, historyName, parseHistory, readHistory, rebuildHistory } from "./historyFile.ts";
import { entryOf, recordedTrials } from "./trialsFixture.ts";

const twenty = entryOf(recordedTrials("trials-20"));
const entry = (id: string, at = "2026-11-20T20:00:00.000Z"): HistoryEntry => ({ ...twenty, id, at });

let runs: string;
let path: string;
beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), "fwlab-history-"));
  path = join(runs, historyName);
});
afterEach(() => rm(runs, { recursive: true }));

const ids = async () => (await readHistory(runs)).entries.map(({ id }) => id);

test("there is none yet: it is empty", async () => {
  expect(await readHistory(runs)).toEqual({ entries: [], broken: [] });
});

test("what is appended is read again, oldest first, each id once", async () => {
  await appendHistory(runs, entry("b", "2026-11-21T00:00:00.000Z"));
  await appendHistory(runs, entry("a", "2026-11-20T00:00:00.000Z"));
  await appendHistory(runs, { ...entry("b", "2026-11-21T00:00:00.000Z"), reason: "again" });
  const { entries, broken } = await readHistory(runs);
  expect(entries.map(({ id, reason }) => [id, reason])).toEqual([
    ["a", twenty.reason],
    ["b", "again"],
  ]);
  expect(broken).toEqual([]);
  expect(entries[0]).toEqual(entry("a", "2026-11-20T00:00:00.000Z"));
});

test("three processes that append at once lose nothing and mix nothing", { timeout: 30_000 }, async () => {
  const program = `
    const { appendHistory } = await import(${JSON.stringify(fileURLToPath(new URL("historyFile.ts", import.meta.url)))});
    const entry = JSON.parse(process.argv[2]);
    for (let count = 0; count < 50; count += 1) await appendHistory(process.argv[1], { ...entry, id: entry.id + "-" + count, reason: "x".repeat(20_000) });
  `;
  const writer = (id: string) => execa(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program, runs, JSON.stringify(entry(id))]);
  await Promise.all(["a", "b", "c"].map(writer));
  const { entries, broken } = await readHistory(runs);
  expect(broken).toEqual([]);
  expect(new Set(entries.map(({ id }) => id)).size).toBe(150);
  expect(entries.every(({ reason }) => reason.length === 20_000)).toBe(true);
});

describe("a broken line", () => {
  const line = JSON.stringify(entry("whole"));

  test.each([
    ["cut short", line.slice(0, -30), /cut short or no JSON/u],
    ["of a newer fwlab", JSON.stringify({ ...entry("new"), schema: 2 }), /it is of schema 2, and this fwlab knows up to 1/u],
    ["of another form", JSON.stringify({ schema: 1, id: "x" }), /kind/u],
    ["no JSON", "<<<<<<< HEAD", /no JSON/u],
  ])("%s is told with its number, and hides no other", (_, broken, seen) => {
    const history = parseHistory(`${line}\n${broken}\n\n${JSON.stringify(entry("after"))}\n`);
    expect(history.entries.map(({ id }) => id)).toEqual(["after", "whole"]);
    expect(history.broken).toMatchObject([{ line: 2, text: broken, seen: expect.stringMatching(seen) as string }]);
  });

  test("without an end takes no other line with it", async () => {
    await writeFile(path, line.slice(0, 100));
    await appendHistory(runs, entry("next"));
    expect(await ids()).toEqual(["next"]);
    expect((await readHistory(runs)).broken).toMatchObject([{ line: 1, text: line.slice(0, 100) }]);
  });
});

describe("a rebuilt history", () => {
  test("has the bundles that are there, the lines whose bundles are gone, and the broken ones as they were", async () => {
    await appendHistory(runs, entry("gone", "2026-11-01T00:00:00.000Z"));
    await appendHistory(runs, { ...entry("judged again"), reason: "old" });
    await appendFile(path, "{ broken\n");
    const { entries, broken } = await rebuildHistory(runs, [entry("judged again"), entry("new", "2026-11-22T00:00:00.000Z")]);
    expect(entries.map(({ id, reason }) => [id, reason === "old"])).toEqual([
      ["gone", false],
      ["judged again", false],
      ["new", false],
    ]);
    expect(broken.map(({ text }) => text)).toEqual(["{ broken"]);
    expect(await readFile(path, "utf8")).toContain("{ broken\n");
  });

  test("loses nothing that is appended meanwhile", async () => {
    const found = Array.from({ length: 100 }, (_, index) => entry(`bundle-${index}`));
    const appended = Array.from({ length: 40 }, (_, index) => `meanwhile-${index}`);
    const append = async () => {
      for (const id of appended) await appendHistory(runs, entry(id));
    };
    const rebuild = async () => {
      for (let count = 0; count < 6; count += 1) await rebuildHistory(runs, found);
    };
    await Promise.all([append(), rebuild()]);
    const now = await ids();
    expect(appended.filter((id) => !now.includes(id))).toEqual([]);
    expect(now).toHaveLength(140);
  });
});

test("what cannot be written is told, and so is what is no file", async () => {
  await writeFile(join(runs, "file"), "");
  await expect(appendHistory(join(runs, "file"), entry("a"))).rejects.toThrow(Failure);
  await expect(readHistory(join(runs, "file"))).rejects.toThrow(Failure);
});
