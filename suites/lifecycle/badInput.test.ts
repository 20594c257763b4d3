import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { cacheFolder } from "../../lab/host/cacheFolder.ts";
import { temporaryFolder } from "./folders.ts";
import { refusalOf } from "./refusal.ts";
import { Traces } from "./traces.ts";

const folder = temporaryFolder();
let traces: Traces;
/** An empty folder for each test. */
let empty: string;
beforeEach(async () => {
  empty = await mkdtemp(join(folder(), "empty-"));
  await mkdir(join(folder(), "temporary"), { recursive: true });
  await mkdir(join(cacheFolder(), "lab"), { recursive: true });
  traces = Traces.begin({ cache: cacheFolder(), temporary: join(folder(), "temporary") });
});

describe("bad input gets one clear line, exit code 2, and leaves nothing", () => {
  test.each<readonly [args: readonly string[], line: RegExp]>([
    [["--frobnicate"], /unknown option '--frobnicate'/u],
    [["more"], /too many arguments/u],
    [["--flows", "many"], /'--flows .*"many" is not a whole number of at least 1/u],
    [["--flows", "0"], /'--flows .*"0" is not a whole number of at least 1/u],
    [["--flows", "icmp=1"], /"icmp=1" is not tcp=N, udp=N or ssh=N/u],
    [["--flows"], /'--flows .*argument missing/u],
    [["--control", "nothing"], /'--control .*Allowed choices are no-conntrackd/u],
    [["--accel", "xyz"], /'--accel .*Allowed choices are auto, kvm, tcg/u],
    [["--config", "/no/such/folder"], /'--config .*no such folder: \/no\/such\/folder/u],
    [["--config", "EMPTY"], /'--config .*none of the machines' folders client, fw-1, fw-2, omarine/u],
    [["--json", "/no/such/folder/run.json"], /'--json .*\/no\/such\/folder does not exist/u],
  ])("npm start -- %j", async (args, line) => {
    const refusal = await refusalOf(["npm", "start", "--", ...args.map((arg) => (arg === "EMPTY" ? empty : arg))], { traces });
    expect(refusal).toMatchObject({ exitCode: 2, line: expect.stringMatching(line) as string, details: [], leftovers: [] });
    expect(refusal.line).toMatch(/^fwlab: /u);
  });

  test.each<readonly [args: readonly string[], line: RegExp]>([
    [["frobnicate"], /unknown command 'frobnicate'/u],
    [[], /a verb is needed: start, trials, validate, mutants, judge, test/u],
    [["trials", "--n", "0"], /'--n .*"0" is not a whole number of trials from 1 to 1000/u],
    [["trials", "--spread", "1s"], /'--spread .*"1s" is not a whole number of milliseconds from 0 to 60000/u],
    [["trials", "--fault", "lightning"], /'--fault .*Allowed choices are power-cut/u],
  ])("verb: %j", async (args, line) => {
    const refusal = await refusalOf(["node", "scripts/bootstrap.mjs", ...args], { traces });
    expect(refusal).toMatchObject({ exitCode: 2, line: expect.stringMatching(line) as string, details: [], leftovers: [] });
  });
});
