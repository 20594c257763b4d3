import type { Command } from "commander";
import { expect, test } from "vitest";
import { verbs } from "./verbs.ts";

/** A verb's help, whole: with what comes after the options. */
function helpOf(command: Command): string {
  const said: string[] = [];
  command.configureOutput({ writeOut: (text) => said.push(text) }).outputHelp();
  return said.join("");
}

/** The command lines of fwlab's in a verb's example, as words. */
function examplesIn(help: string): string[][] {
  const [, examples = ""] = /^Examples?: (.*)$/msu.exec(help) ?? [];
  return [...examples.matchAll(/(?:npx fwlab|npm run(?= doctor)) ([^|&)\n]+)/gu)].map(([, words = ""]) => words.trim().split(/ +/u));
}

/** Reads a command line as its verb does, and does nothing. @throws CommanderError for what the verb does not take. */
async function read([verb = "", ...words]: readonly string[]): Promise<void> {
  const command = await verbs[verb]?.();
  if (command === undefined) throw new Error(`no verb ${verb}`);
  await command.exitOverride().configureOutput({ writeErr: () => undefined }).action(() => undefined).parseAsync(words, { from: "user" });
}

test.each(Object.keys(verbs))("the help of %s has an example, which the verbs in it take", async (verb) => {
  const command = await verbs[verb]?.();
  const examples = command === undefined ? [] : examplesIn(helpOf(command));
  expect(examples.map(([named]) => named)).toContain(verb);
  for (const words of examples) await read(words);
});

test("the control: what a verb does not take is an error", async () => {
  await expect(read(["start", "--nonesuch"])).rejects.toThrow(/unknown option/u);
  await expect(read(["schema", "nothing"])).rejects.toThrow(/nothing/u);
});
