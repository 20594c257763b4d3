import { execa } from "execa";
import { expect, test } from "vitest";
import { shellLine } from "./shellLine.ts";

test("a shell reads the words that were written, whatever is in them", async () => {
  const words = ["plain", "tcp=1,udp=2", "", " ", "it's", "'", "\"", "$(touch x)", "`id`", "a b", "*", "~", "~root", "a;b", "a&b", "a\nb", "\\", "\\'", "#x", "-n", "ü", "!x", "{a,b}", "x>y"];
  const { stdout } = await execa("sh", ["-c", `printf '%s\\0' ${shellLine(words)}`], { stripFinalNewline: false });
  expect(stdout.split("\0").slice(0, -1)).toEqual(words);
});

test("what needs no quotes has none", () => expect(shellLine(["npm", "start", "--", "--config", "fixtures/omarine-snat"])).toBe("npm start -- --config fixtures/omarine-snat"));
