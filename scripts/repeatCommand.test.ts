import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { repositoryFolder } from "../lab/run/portablePath.ts";
import { repeatCommand } from "./repeatCommand.ts";
import { startCommand } from "./start.ts";
import { trialsCommand } from "./trials.ts";

let elsewhere: string;
beforeAll(async () => {
  elsewhere = join(await mkdtemp(join(tmpdir(), "fwlab-repeat-")), "it's a $(tree)");
  await mkdir(join(elsewhere, "fw-1"), { recursive: true });
});
afterAll(() => rm(join(elsewhere, ".."), { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

/** The options that a verb's command line gives, with the command that it would write. */
function parsed(verb: "start" | "trials", args: readonly string[], chosen: Readonly<Record<string, unknown>> = {}) {
  const command = (verb === "start" ? startCommand() : trialsCommand()).action(() => undefined).exitOverride();
  command.parse(args, { from: "user" });
  return { options: command.opts<Record<string, unknown>>(), line: repeatCommand(verb === "start" ? ["start"] : ["run", "trials"], command, chosen) };
}

/** What a shell makes of a line, without npm's own words. */
async function wordsOf(line: string): Promise<string[]> {
  const { stdout } = await execa("sh", ["-c", `printf '%s\\0' ${line}`], { stripFinalNewline: false });
  const words = stdout.split("\0").slice(0, -1);
  return words.slice(words.indexOf("--") + 1);
}

describe("the command that repeats a run gives the same options again", () => {
  const cases: ["start" | "trials", string[]][] = [
    ["start", []],
    ["start", ["--flows", "12"]],
    ["start", ["--flows", "tcp=1000,ssh=2", "--accel", "tcg", "--cold", "--control", "no-conntrackd", "--config", "fixtures/omarine-snat"]],
    ["trials", ["--seed", "0", "--n", "3", "--spread", "0"]],
    ["trials", ["--seed", "4294967295", "--cold", "--fault", "power-cut", "--flows", "ssh=1"]],
  ];
  test.each(cases)("%s %j", async (verb, args) => {
    vi.stubEnv("INIT_CWD", repositoryFolder);
    const first = parsed(verb, args);
    expect(first.line).not.toContain(repositoryFolder);
    const again = parsed(verb, await wordsOf(first.line));
    expect(again).toEqual(first);
  });

  test("wherever it was called, and whatever the tree is called", async () => {
    vi.stubEnv("INIT_CWD", join(elsewhere, ".."));
    const first = parsed("start", ["--config", "it's a $(tree)"]);
    vi.stubEnv("INIT_CWD", repositoryFolder);
    expect(parsed("start", await wordsOf(first.line)).options).toEqual(first.options);
    expect(first.options["config"]).toBe(elsewhere);
  });
});

test("all that matters is spelled out; where results go is left out", () => {
  vi.stubEnv("INIT_CWD", repositoryFolder);
  const { line } = parsed("start", ["--json", join(elsewhere, "run.json"), "--verbose", "--keep"], { flows: { tcp: 36, udp: 10, ssh: 4 } });
  expect(line).toMatch(/^npm start -- --flows tcp=36,udp=10,ssh=4 --accel auto --config fixtures\/omarine-snat\b/u);
  expect(line).not.toMatch(/json|verbose|keep/u);
});

test("a seed that was chosen is told", async () => {
  const { line } = parsed("trials", [], { seed: 42 });
  expect(parsed("trials", await wordsOf(line)).options).toMatchObject({ seed: 42, n: 20, spread: 1000, fault: "power-cut" });
});

test("an option that cannot be written is not left out in silence", () => {
  const command = new Command("new").addOption(new Option("--odd <x>").argParser(() => ({ a: 1 })));
  command.parse(["--odd", "1"], { from: "user" });
  expect(() => repeatCommand(["start"], command)).toThrow("option odd has no written form");
});
