import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compile, type CompiledProgram } from "../lab/compiled.rig.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
let fwlab: CompiledProgram;

beforeAll(async () => {
  fwlab = await compile(fileURLToPath(new URL("fwlab.ts", import.meta.url)));
});
afterAll(() => fwlab[Symbol.asyncDispose]());

test.each([
  [["start", "--no-such-option"], /unknown option '--no-such-option'/u],
  [["start", "--flows", "many"], /"many" is not a whole number of at least 1/u],
  [["start", "--flows", "0"], /"0" is not a whole number of at least 1/u],
  [["start", "--flows"], /argument missing/u],
  [["start", "--config", "fixtures/test-case", "--flows", "udp=1"], /open flows of udp: the config tree promises to let only tcp, ssh through/u],
  [["start", "--control", "everything"], /Allowed choices are no-conntrackd, slow-advert, way-back-by-fw-1/u],
  [["start", "--accel", "xen"], /Allowed choices are auto, kvm, tcg/u],
  [["start", "--pcap", "some"], /Allowed choices are on, off/u],
  [["start", "--json", "no/such/folder/run.json"], /no\/such\/folder does not exist/u],
  [["start", "--config", "no-such-folder"], /no such folder/u],
  [["judge"], /missing required argument 'bundle'/u],
  [["judge", "no-such-folder"], /no-such-folder: there is no such folder/u],
  [["judge", "lab"], /it is no bundle: it has neither run\.json nor trials\.json/u],
  [["judge", "--jsn", "lab"], /unknown option '--jsn'/u],
  [["cache", "--clear", "everything"], /Allowed choices are images, snapshots/u],
  [["start", "stray"], /too many arguments/u],
  [["schema", "beauty"], /Allowed choices are run, trials, comparison, validation/u],
  [["compare", "no-such-baseline", "nothing"], /find no-such-baseline: it is no baseline, no id in the history and no folder/u],
  [["compare", "one"], /missing required argument 'new'/u],
  [["start", "--baseline", "no-such-baseline"], /find no-such-baseline/u],
  [["history", "--last", "none"], /"none" is not a whole number/u],
  [["baseline", "a b", "c"], /find c/u],
  [["validate"], /missing required argument 'folder'/u],
  [["validate", "no-such-folder"], /validate .*no-such-folder: there is no such folder/u],
  [["validate", "package.json"], /package\.json: it is no folder/u],
  [["validate", "lab"], /it is no config tree: it holds /u],
  [["validate", "fixtures/controls/slow-advert"], /it has no files for client, only .*--base/u],
  [["validate", "fixtures/omarine-snat", "--base", "nothing"], /neither the name of a reference tree nor a folder\. Name one of .*omarine-snat/u],
  [["validate", "fixtures/test-case", "--flows", "udp=1"], /open flows of udp: the config tree promises to let only tcp, ssh through/u],
  [["validate", "--json", "fixtures/omarine-snat"], /It is a folder, not a file/u],
  [["validate", "fixtures/omarine-snat", "--sarif", "no/such/x.sarif"], /no\/such does not exist/u],
  [["mutants", "no-such-mutant"], /find no-such-mutant: there is no such mutant or variant\. Name some of .*vrid-differs/u],
  [["mutants", "--static", "--run-all"], /'--run-all' cannot be used with option '--static'/u],
  [["mutants", "--shard", "3/2"], /"3\/2" is not part 1\/3/u],
  [["mutants", "--only", "both"], /Allowed choices are mutants, variants/u],
  [["explode"], /unknown command 'explode'/u],
  [[], /a verb is needed: start, trials, validate, mutants, judge, test, bench, report, history, compare, baseline, cache/u],
])("fwlab %j gets one clear line and exit code 2", async (args, line) => {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [fwlab.path, ...args], { cwd: root, reject: false, stdin: "ignore" });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr.split("\n")).toHaveLength(1);
  expect(stderr).toMatch(/^fwlab: /u);
  expect(stderr).toMatch(line);
});

test("help is no error, as users have it: by tsx", async () => {
  const { exitCode, stdout } = await execa(process.execPath, ["--import", "tsx", "scripts/fwlab.ts", "start", "--help"], { cwd: root, stdin: "ignore" });
  expect(exitCode).toBe(0);
  expect(stdout).toContain("--flows");
});
