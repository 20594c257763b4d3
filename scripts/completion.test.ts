import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { completionScript } from "./completion.ts";
import { allCommands } from "./verbs.ts";

const script = completionScript(await allCommands(), "bash");

/** What bash itself completes a line to. */
function completed(line: string): string[] {
  const words = line.split(" ");
  const asked = `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _fwlab; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", asked], { encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((word) => word !== "");
}

test.each([
  ["fwlab st", ["start", "status"]],
  ["fwlab start --topology sandwich-", ["sandwich-directors"]],
  ["fwlab start --to", ["--topology"]],
  ["fwlab fault pow", ["power-cut"]],
  ["fwlab graph primary-backup-", ["primary-backup-ipv6"]],
  ["fwlab start --accel ", ["auto", "kvm", "tcg"]],
  ["fwlab nonsense --", []],
])("bash completes %j", (line, words) => {
  expect(completed(line)).toEqual(words);
});

test("zsh is told to understand bash's", () => {
  return allCommands().then((commands) => expect(completionScript(commands, "zsh")).toMatch(/^autoload -U \+X bashcompinit && bashcompinit\n_fwlab/u));
});
