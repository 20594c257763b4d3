import { mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
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
import { everyNight } from "../everyNight.ts";

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

everyNight("the reference tree, of which nothing is known beforehand", () => {
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

describe("a pair of which no node takes the virtual addresses: keepalived is masked", () => {
  let over: string;
  let run: FinishedRun;
  beforeAll(async () => {
    over = await mkdtemp(join(tmpdir(), "fwlab-tree-"));
    for (const machine of ["fw-1", "fw-2"]) await masked(over, `${machine}/etc/systemd/system/keepalived.service`);
    run = await validated({ over: [over] });
  }, withinMs + 60_000);
  afterAll(() => rm(over, { recursive: true, force: true }));

  test("it fails, and is not invalid: nothing can be struck in a pair without an owner", () => {
    expect(run.interrupted).toBeUndefined();
    expect(run.run).toMatchObject({ verdict: "fail", flows: [], outages: [] });
    expect(run.run.reason).toMatch(/^comes-up \(run\): one owner of both virtual addresses not within \d+ s; seen last: fw-1 holds none, fw-2 holds none/u);
  });

  test("what the daemons said is in the bundle", async () => {
    expect(await readFile(join(run.bundle, "journals/coming-up/fw-2.txt"), "utf8")).toMatch(/conntrack/u);
  });
});

/** Lays a link to nowhere over a unit: systemd then starts it for nobody. */
async function masked(tree: string, unit: string): Promise<void> {
  await mkdir(dirname(join(tree, unit)), { recursive: true });
  await symlink("/dev/null", join(tree, unit));
}
