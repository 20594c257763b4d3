import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CommandOptions, CommandResult, MachineShell } from "./shell.ts";
import { together, type Order } from "./together.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fwlab-together-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A shell of this host's, in the place of a machine's, and each session that it was asked for. */
function hostShell(answered: (answer: CommandResult) => CommandResult = (answer) => answer): MachineShell & { readonly sessions: { readonly command: string; readonly options: CommandOptions }[] } {
  const sessions: { readonly command: string; readonly options: CommandOptions }[] = [];
  return {
    name: "fw-1",
    address: "10.99.0.1",
    sessions,
    run: (command, options = {}) => {
      sessions.push({ command, options });
      return new Promise((resolve, reject) => {
        const child = execFile("sh", ["-c", command.replaceAll("/run/fwlab/", `${folder}/`)], { encoding: options.encoding ?? "utf8", maxBuffer: 2 ** 27, signal: options.signal }, (error, stdout, stderr) => {
          if (error !== null && typeof error.code !== "number") reject(new Error("the command has not ended by itself", { cause: error }));
          else resolve(answered({ stdout, stderr, exitCode: typeof error?.code === "number" ? error.code : 0 }));
        });
        child.stdin?.end(options.input ?? "");
      });
    },
    must: () => Promise.reject(new Error("not used")),
  };
}

const orders: readonly Order[] = ["side by side", "one after the other"];

describe.each(orders)("commands that are asked for in one moment, %s", (order) => {
  test("go in one session, and each has its own answer, whatever it prints on either output", async () => {
    const shell = hostShell();
    const asking = together(shell, order);
    const prints = (text: string): Promise<CommandResult> => asking.run(`printf '${text}'; echo "to stderr" >&2; exit 3`);
    const answers = await Promise.all([
      prints("no newline at the end"),
      // What a tar archive, or an end of another's answer, looks like.
      prints(String.raw`./0.out\000\000\000ustar  \000root\n0 1.00 2.00\n`),
      asking.run("tar -cf - /etc/hostname 2>/dev/null"),
      asking.run("true"),
      asking.run(`echo "it's \\"quoted\\" $0" 'and not'`),
    ]);
    expect(shell.sessions).toHaveLength(1);
    expect(answers[0]).toMatchObject({ stdout: "no newline at the end", stderr: "to stderr\n", exitCode: 3 });
    expect(answers[1]).toMatchObject({ stdout: "./0.out\0\0\0ustar  \0root\n0 1.00 2.00\n", stderr: "to stderr\n", exitCode: 3 });
    expect(answers[2].stdout).toContain("etc/hostname");
    expect(answers[3]).toMatchObject({ stdout: "", stderr: "", exitCode: 0 });
    expect(answers[4]).toMatchObject({ stdout: `it's "quoted" sh and not\n`, exitCode: 0 });
  });

  test("one that hangs is ended at its own time, and fails alone; another's exit code of that kind is its own", async () => {
    const asking = together(hostShell(), order);
    const hangs = asking.run("echo before; sleep 60", { timeoutMs: 500 });
    const [hung, ...others] = await Promise.allSettled([hangs, asking.run("echo as ever"), asking.run("exit 124")]);
    expect(hung).toMatchObject({ status: "rejected", reason: { seen: "no end after 0.5 s" } });
    expect(others).toMatchObject([
      { status: "fulfilled", value: { stdout: "as ever\n", exitCode: 0 } },
      { status: "fulfilled", value: { exitCode: 124 } },
    ]);
  });

  test("text beyond ASCII comes as it was printed, and nothing of the answers is left", async () => {
    const [answer] = await Promise.all([together(hostShell(), order).run("printf 'Grüße \\342\\202\\254'")]);
    expect(answer.stdout).toBe("Grüße €");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("must gives the standard output, or throws with what was on the other", async () => {
    const asking = together(hostShell(), order);
    const [good, bad] = await Promise.allSettled([asking.must("echo fine"), asking.must("echo why >&2; exit 7")]);
    expect(good).toMatchObject({ value: "fine\n" });
    expect(bad).toMatchObject({ reason: { tried: "run on fw-1: echo why >&2; exit 7", seen: "exit code 7, why" } });
  });
});

test("one after the other, a command sees what the one before it did; side by side they do not wait for each other", async () => {
  const left = join(folder, "left");
  const asking = together(hostShell(), "one after the other");
  const [, seen] = await Promise.all([asking.run(`sleep 0.2; echo here >${left}`), asking.run(`cat ${left}`)]);
  expect(seen.stdout).toBe("here\n");
  const atOnce = together(hostShell());
  const [waited, made] = await Promise.all([atOnce.run(`for try in $(seq 40); do [ -e ${left}.2 ] && exit 0; sleep 0.1; done; exit 1`), atOnce.run(`touch ${left}.2`)]);
  expect([waited.exitCode, made.exitCode]).toEqual([0, 0]);
});

test("a command with an input goes by itself, and what is asked later, in a session of its own", async () => {
  const shell = hostShell();
  const asking = together(shell);
  expect(await asking.run("cat", { input: "word" })).toMatchObject({ stdout: "word" });
  expect(shell.sessions).toMatchObject([{ command: "cat", options: { input: "word" } }]);
  for (const word of ["first", "second"]) expect((await asking.run(`echo ${word}`)).stdout).toBe(`${word}\n`);
  expect(shell.sessions).toHaveLength(3);
});

test("an answer that was not kept whole is none", async () => {
  const asking = together(hostShell());
  // The end of the second is missing, as where there was no room for it.
  const [kept, lost] = await Promise.allSettled([asking.run("echo kept"), asking.run(`for answers in ${folder}/asked.*; do mkdir $answers/1.end; done`)]);
  expect(kept).toMatchObject({ status: "fulfilled", value: { stdout: "kept\n" } });
  expect(lost).toMatchObject({ status: "rejected", reason: { seen: "the machine had no room to keep the answer" } });
});

test("a machine that answers nothing, or half an archive, answers none of them", async () => {
  for (const answered of [
    (answer: CommandResult): CommandResult => ({ ...answer, exitCode: 1, stderr: "mktemp: no space" }),
    (answer: CommandResult): CommandResult => ({ ...answer, stdout: answer.stdout.slice(0, 1_000) }),
  ]) {
    const asking = together(hostShell(answered));
    const all = await Promise.allSettled([asking.run("echo one"), asking.run("echo two")]);
    expect(all.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  }
});

test("who is aborted has the signal's reason, and no one else", async () => {
  const asking = together(hostShell());
  const giveUp = new AbortController();
  const aborted = asking.run("sleep 60", { signal: giveUp.signal });
  const other = asking.run("echo other");
  setTimeout(() => giveUp.abort(new Error("interrupted")), 100);
  await expect(aborted).rejects.toThrow();
  expect((await other).stdout).toBe("other\n");
});
