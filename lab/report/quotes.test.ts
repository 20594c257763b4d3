import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { folderKeeper } from "./keeper.ts";
import { keepQuotes } from "./quotes.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fwlab-quotes-"));
  await mkdir(join(folder, "observations"));
});
afterAll(() => rm(folder, { recursive: true }));

/** As `conntrackd -i` of conntrack-tools 1.4.7 writes it. */
const entry = (port: number): string =>
  `tcp      6 ESTABLISHED src=192.168.0.3 dst=192.168.1.3 sport=${port} dport=22 src=192.168.1.3 dst=192.168.1.100 sport=22 dport=${port} [ASSURED] [active since 5s]`;

async function quoted(answer: string): Promise<string> {
  await writeFile(join(folder, "observations", "cache.txt"), answer);
  await keepQuotes(folderKeeper(folder), "cache", "What is quoted.", [{ machine: "fw-1", command: "conntrackd -i", source: "observations/cache.txt", holding: ["sport=40001 dport=22"] }]);
  return readFile(join(folder, "quotes", "cache.txt"), "utf8");
}

test("a quote is the lines that were asked for, under the command that gave them, and names the whole answer", async () => {
  expect(await quoted(`${entry(40_000)}\n${entry(40_001)}\n`)).toBe(`What is quoted.\n\n(shell fw-1)# conntrackd -i\n${entry(40_001)}\n(out of observations/cache.txt)\n`);
});

test("an answer without such a line, and a command that failed, are quoted as that", async () => {
  expect(await quoted(`${entry(40_000)}\n`)).toContain("# conntrackd -i\n(no such line)\n");
  expect(await quoted("\n--- exit code 1, stderr:\nERROR: can't connect: is conntrackd running?\n")).toContain("is conntrackd running?");
});
