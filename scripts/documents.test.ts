import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checks } from "../lab/judge/judge.ts";
import { allCommands, verbs } from "./verbs.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const textOf = (file: string) => readFileSync(join(root, file), "utf8");
const extending = textOf("docs/extending.md");

describe("docs/extending.md", () => {
  const sources = [...readdirSync(join(root, "suites/examples")).map((file) => `suites/examples/${file}`), "lab/topology/primaryBackup.ts", "lab/topology/sandwich.ts"].map(textOf);
  const blocks = [...extending.matchAll(/^```ts\n(.*?)^```$/gmsu)].map(([, code = ""]) => code);

  test("each of its examples is code of a file that CI runs", () => {
    expect(blocks.length).toBeGreaterThanOrEqual(4);
    for (const block of blocks) expect(sources.some((source) => source.includes(block.trimEnd())), block).toBe(true);
  });

  test("every file that it names is there", () => {
    const named = [...extending.matchAll(/`((?:lab|suites|fixtures|scripts|\.github)\/[\w./-]+\.\w+)`/gu)].map(([, file = ""]) => file);
    expect(named.length).toBeGreaterThan(5);
    for (const file of named) expect(() => textOf(file), file).not.toThrow();
  });

  test("every check that it explains is one", () => {
    const explained = [...extending.matchAll(/^\| `([a-z-]+)` \|/gmu)].map(([, id]) => id);
    expect(explained.length).toBeGreaterThan(5);
    expect(Object.keys(checks)).toEqual(expect.arrayContaining(explained));
  });
});

test("every verb says what it does", async () => {
  const commands = await allCommands();
  expect(commands.map((command) => command.name())).toEqual(Object.keys(verbs));
  for (const command of commands) expect(command.description(), command.name()).not.toBe("");
});

test("README tells of every verb", () => {
  const readme = textOf("README.md");
  for (const verb of Object.keys(verbs)) expect(readme, verb).toMatch(new RegExp(`\`${verb}\\b|npm (?:run )?${verb}\\b|fwlab(?:\\.ts)? ${verb}\\b|\`[^\`]*\`, \`${verb}\``, "u"));
});
