import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TerminalProgress } from "../../lab/progress/terminal.ts";
import type { FinishedRun } from "../../lab/run/judgedRun.ts";
import { fixturesFolder, runsFolder } from "../../lab/run/prepare.ts";
import { coldSuites } from "../../lab/run/startLab.ts";
import { conductValidation, type ValidationRunOptions } from "../../lab/run/validationRun.ts";
import { primaryBackup } from "../../lab/topology/primaryBackup.ts";
import { suiteCommand } from "../conducted.ts";

const withinMs = 5 * 60_000;
const reference = join(fixturesFolder, "omarine-snat");

async function validated(options: Partial<ValidationRunOptions>): Promise<FinishedRun> {
  using progress = new TerminalProgress({ write: (text) => process.stderr.write(text) });
  return await conductValidation({
    topology: primaryBackup,
    config: reference,
    accelerator: "auto",
    command: suiteCommand(),
    cold: process.env[coldSuites] !== undefined,
    runsFolder,
    progress,
    signal: AbortSignal.timeout(withinMs),
    ...options,
  });
}

describe("the reference tree, of which nothing is known beforehand", () => {
  let run: FinishedRun;
  beforeAll(async () => {
    run = await validated({});
  }, withinMs + 60_000);

  test("it passes, there and back, and came up", () => {
    expect(run.run).toMatchObject({ verdict: "pass", fault: { id: "power-cut", target: "fw-1" } });
    expect(run.run.checks.map(({ id, phase }) => `${id} ${phase}`)).toEqual(expect.arrayContaining(["comes-up run", "flows-survive failover", "replicated-before failback", "flows-survive failback"]));
  });

  test("flows of every kind and mode went through it", () => {
    expect(new Set(run.run.flows.map(({ kind, mode }) => `${kind} ${mode}`))).toEqual(new Set(["tcp client", "tcp server", "tcp both", "tcp idle", "udp request", "ssh request"]));
  });
});

describe("a pair whose nodes do not hear each other: their virtual routers have different identifiers", () => {
  let over: string;
  let run: FinishedRun;
  beforeAll(async () => {
    over = await mkdtemp(join(tmpdir(), "fwlab-tree-"));
    await changed(over, "fw-2/etc/keepalived/keepalived.conf", "virtual_router_id 1", "virtual_router_id 2");
    run = await validated({ over: [over] });
  }, withinMs + 60_000);
  afterAll(() => rm(over, { recursive: true, force: true }));

  test("it fails, and is not invalid: nothing can be struck in a pair without one owner", () => {
    expect(run.interrupted).toBeUndefined();
    expect(run.run).toMatchObject({ verdict: "fail", flows: [], outages: [] });
    expect(run.run.reason).toMatch(/^comes-up \(run\): one owner of both virtual addresses not within \d+ s; seen last: fw-1 holds .*192\.168\.1\.100.*, fw-2 holds .*192\.168\.1\.100/u);
  });

  test("what the daemons said is in the bundle", async () => {
    expect(await readFile(join(run.bundle, "journals/coming-up/fw-2.txt"), "utf8")).toMatch(/Keepalived_vrrp.*MASTER STATE/u);
  });
});

/** Lays one file of the reference tree, changed, into a tree that goes over it. */
async function changed(tree: string, file: string, from: string, to: string): Promise<void> {
  const text = await readFile(join(reference, file), "utf8");
  if (!text.includes(from)) throw new Error(`${file} of the reference tree does not say ${from}`);
  await mkdir(dirname(join(tree, file)), { recursive: true });
  await writeFile(join(tree, file), text.replaceAll(from, to));
}
