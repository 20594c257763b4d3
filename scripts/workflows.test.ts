import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { execaSync } from "execa";
import { describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { repositoryFolder } from "../lab/run/portablePath.ts";
import { baselineCommand } from "./baseline.ts";
import { benchCommand } from "./bench.ts";
import { compareCommand } from "./compare.ts";
import { githubParser } from "./githubParser.rig.ts";
import { historyCommand } from "./history.ts";
import { judgeCommand } from "./judge.ts";
import { mutantsCommand } from "./mutants.ts";
import { startCommand } from "./start.ts";
import { testCommand } from "./test.ts";
import { trialsCommand } from "./trials.ts";
import { validateCommand } from "./validate.ts";

/** Verbs that a workflow may call, by the names of their npm scripts. */
const verbs: Readonly<Record<string, () => Command>> = { start: startCommand, trials: trialsCommand, judge: judgeCommand, test: testCommand, bench: benchCommand, history: historyCommand, compare: compareCommand, baseline: baselineCommand, mutants: mutantsCommand, validate: validateCommand };

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const environment = z.record(z.string(), scalar).default({});
const stepSchema = z.object({ name: z.string().optional(), uses: z.string().optional(), run: z.string().optional(), env: environment, with: z.record(z.string(), scalar).default({}) });
const jobSchema = z.object({
  "runs-on": z.string(),
  "timeout-minutes": z.number().max(60),
  strategy: z.object({ matrix: z.object({ include: z.array(z.record(z.string(), scalar)) }) }).optional(),
  env: environment,
  steps: z.array(stepSchema),
});
const workflowSchema = z.object({ permissions: z.object({ contents: z.literal("read") }).strict(), concurrency: z.object({ group: z.string(), "cancel-in-progress": z.boolean() }), jobs: z.record(z.string(), jobSchema) });
const actionSchema = z.object({ runs: z.object({ using: z.literal("composite"), steps: z.array(stepSchema) }) });
const packageSchema = z.object({ scripts: z.record(z.string(), z.string()) });

type Environment = Readonly<Record<string, string>>;

const { NoOperationTraceWriter, parseAction, parseWorkflow } = await githubParser();
const folder = join(repositoryFolder, ".github", "workflows");
const files = readdirSync(folder).map((name) => ({ name, content: readFileSync(join(folder, name), "utf8") }));
const action = { name: "action.yml", content: readFileSync(join(repositoryFolder, ".github/actions/prepare/action.yml"), "utf8") };
const { scripts } = packageSchema.parse(JSON.parse(readFileSync(join(repositoryFolder, "package.json"), "utf8")));
const workflows = files.map(({ name, content }) => ({ name, ...workflowSchema.parse(parse(content)) }));
const actionSteps = actionSchema.parse(parse(action.content)).runs.steps;

/** What is wrong with the npm commands of a shell script: a script or verb that does not exist, options that the verb refuses. */
function faultsOf(script: string, env: Environment): string[] {
  const commands = script
    .split("\n")
    .filter((line) => !line.trimStart().startsWith("#"))
    .flatMap((line) => line.split(/\|\||&&|[;|]/u))
    .map((command) => command.trim())
    .filter((command) => /^(?:npm|npx|node)\b/u.test(command));
  return commands.flatMap((command) => {
    const words = execaSync("sh", ["-c", `printf '%s\\0' ${command}`], { env, stripFinalNewline: false }).stdout.split("\0").slice(0, -1);
    const fault = faultOf(words);
    return fault === undefined ? [] : [`${command}: ${fault}`];
  });
}

function faultOf([program, ...words]: readonly string[]): string | undefined {
  if (program !== "npm") return "only npm's scripts are to be called";
  const [verb = "", ...rest] = words[0] === "run" ? words.slice(1) : words;
  if (["ci", "audit"].includes(verb)) return undefined;
  if (scripts[verb] === undefined) return `package.json has no script ${verb}`;
  const args = rest[0] === "--" ? rest.slice(1) : rest;
  if (!/(?:bootstrap\.mjs|fwlab\.ts) \w+$/u.test(scripts[verb])) return args.length === 0 ? undefined : `${verb} takes no arguments`;
  const command = verbs[verb]?.()
    .action(() => undefined)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  try {
    if (command === undefined) return `there is no verb ${verb}`;
    command.parse(args, { from: "user" });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Each step's script, with the environment that it has in each of the matrix's jobs. */
function scriptsOf({ env, steps, strategy }: z.infer<typeof jobSchema>): { script: string; env: Environment }[] {
  const jobs = strategy?.matrix.include ?? [{}];
  return jobs.flatMap((matrix) =>
    steps.flatMap((step) => {
      if (step.run === undefined) return [];
      const values = Object.entries({ ...env, ...step.env }).map(([name, value]) => [name, filledIn(String(value), matrix)]);
      return [{ script: filledIn(step.run, matrix), env: Object.fromEntries(values) as Environment }];
    }),
  );
}

/** Expressions that the workflows use where commands see them. @throws Error for any other: this test does not know what it would be. */
function filledIn(text: string, matrix: Readonly<Record<string, unknown>>): string {
  return text.replace(/\$\{\{ (.+?) \}\}/gu, (_, expression: string) => {
    const value = expression === "inputs.trials || 20" ? 20 : expression === "inputs.renew || false" ? "false" : matrix[expression.replace(/^matrix\./u, "")];
    if (typeof value !== "string" && typeof value !== "number") throw new Error(`no value for ${expression}`);
    return String(value);
  });
}

describe.each(files)("$name", ({ name, content }) => {
  test("is a workflow by GitHub's own parser", () => {
    const { context } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
    expect(context.errors.getErrors().map(({ message }) => message)).toEqual([]);
  });

  test("that parser sees what is wrong", () => {
    const { context } = parseWorkflow({ name, content: content.replace("runs-on:", "runs-at:") }, new NoOperationTraceWriter());
    expect(context.errors.getErrors().map(({ message }) => message).join()).toMatch(/runs-at/u);
  });
});

test("the action that prepares the host is one by GitHub's own parser", () => {
  const errors = (content: string) => parseAction({ name: "action.yml", content }, new NoOperationTraceWriter()).context.errors.getErrors();
  expect(errors(action.content)).toEqual([]);
  expect(errors(action.content.replace("using: composite", "uses: composite"))).not.toEqual([]);
});

test.each(workflows)("$name calls scripts and verbs that are there, with options that they take", ({ jobs }) => {
  vi.stubEnv("INIT_CWD", repositoryFolder);
  const all = Object.values(jobs).flatMap(scriptsOf);
  expect(all.filter(({ script }) => script.includes("npm ")).length).toBeGreaterThan(0);
  expect(all.flatMap(({ script, env }) => faultsOf(script, env))).toEqual([]);
  vi.unstubAllEnvs();
});

test.each([
  ["npm run trails", "package.json has no script trails"],
  ["npm start -- --flow 12", "unknown option '--flow'"],
  ["npm run trials -- --n \"$N\"", "is not a whole number"],
  ["npm start -- --control everything || code=$?", "Allowed choices are"],
  ["npm run lint -- --fix", "takes no arguments"],
  ["npx something", "only npm's scripts"],
])("%s would be found", (script, fault) => expect(faultsOf(script, { N: "many" }).join()).toContain(fault));

test("the hosts that share the catalogue out have all of it", () => {
  const given = workflows.flatMap(({ jobs }) => Object.values(jobs).flatMap(scriptsOf)).flatMap(({ script }) => /--shard (\S+)/u.exec(script)?.[1] ?? []);
  expect(given.length).toBeGreaterThan(1);
  expect(given).toEqual(given.map((_, index) => `${index + 1}/${given.length}`));
});

test("every script is one that bash can read", () => {
  const bash = (input: string) => execaSync("bash", ["-n"], { input, reject: false }).exitCode;
  const all = [...workflows.flatMap(({ jobs }) => Object.values(jobs).flatMap(scriptsOf)).map(({ script }) => script), ...actionSteps.flatMap(({ run }) => run ?? [])];
  expect(all.filter((script) => bash(script) !== 0)).toEqual([]);
  expect(bash("if true; then")).not.toBe(0);
});

test("actions are of GitHub's own hand with a version, or of this repository", () => {
  const used = [...workflows.flatMap(({ jobs }) => Object.values(jobs).flatMap(({ steps }) => steps)), ...actionSteps].flatMap(({ uses }) => uses ?? []);
  expect(used.length).toBeGreaterThan(5);
  const allowed = (uses: string) => /^actions\/[a-z-]+(?:\/[a-z]+)?@(?:v\d+|[0-9a-f]{40})$/u.test(uses) || (uses.startsWith("./") && existsSync(join(repositoryFolder, uses, "action.yml")));
  expect(used.filter((uses) => !allowed(uses))).toEqual([]);
});

test("the cached image's key changes with all that its recipe's hash is over", () => {
  const key = String(actionSteps.find(({ with: { path } }) => path === "~/.cache/fwlab/images")?.with["key"]);
  expect(/hashFiles\((.*)\)/u.exec(key)?.[1]).toBe("'fixtures/image/**', 'lab/image/**'");
});
