import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { answerTo, farSideScript, keystrokesOfLine, typedLine } from "./sshScript.ts";
import { SshTranscript } from "./sshTranscript.ts";

const seed = 4_729;

function transcriptOf(lines: number): SshTranscript {
  const transcript = new SshTranscript(seed);
  for (let seq = 0; seq < lines; seq += 1) for (const key of typedLine(seq, seed)) transcript.typed(key);
  return transcript;
}

const echo = (seq: number): string => `${typedLine(seq, seed)}\n`;

describe("a transcript", () => {
  test("takes echo and answers in turn", () => {
    expect(transcriptOf(2).hear(echo(0) + answerTo(0, seed) + echo(1) + answerTo(1, seed))).toEqual({ answered: [0, 1], wrongLines: 0, diverged: undefined });
  });

  test("takes queued echo and answers that mingle byte by byte", () => {
    const transcript = transcriptOf(2);
    const [echoes, answers] = [echo(0) + echo(1), answerTo(0, seed) + answerTo(1, seed)];
    const heard = Array.from(echoes, (byte, at) => transcript.hear(byte + answers.charAt(at)));
    expect(heard.flatMap(({ answered }) => answered)).toEqual([0, 1]);
  });

  test("counts a line that the far side got wrong", () => {
    expect(transcriptOf(1).hear(echo(0) + answerTo(0, seed).replace("+", "-"))).toMatchObject({ answered: [], wrongLines: 1, diverged: undefined });
  });

  test.each([
    ["a wrong echo", "z"],
    ["an answer left out", answerTo(1, seed)],
    ["an answer to what was not typed", answerTo(0, seed) + answerTo(1, seed)],
    ["a doubled answer", answerTo(0, seed) + answerTo(0, seed)],
    ["a foreign byte", "!"],
  ])("believes nothing after %s", (_, output) => {
    const transcript = transcriptOf(1);
    expect(transcript.hear(output).diverged).toBeTypeOf("string");
    expect(transcript.hear(echo(0) + answerTo(0, seed))).toEqual({ answered: [], wrongLines: 0, diverged: undefined });
  });
});

test.each(["sh", "bash"])("the far side's program answers as foreseen, by %s", async (interpreter) => {
  const lines = Array.from({ length: 30 }, (_, seq) => typedLine(seq, seed));
  expect(new Set(lines.map((line) => line.length))).toEqual(new Set([keystrokesOfLine]));
  const input = lines.map((line, seq) => (seq === 7 ? "garbled\n" : line.replace("\r", "\n"))).join("");
  const { stdout } = await execa(interpreter, ["-c", farSideScript(seed)], { input, env: { SSH_CONNECTION: "192.168.1.100 40001 192.168.1.3 22" } });
  const greeting = SshTranscript.greeting(stdout);
  expect(greeting).toMatchObject({ source: { address: "192.168.1.100", port: 40_001 }, destination: { address: "192.168.1.3", port: 22 } });
  const answers = lines.map((_, seq) => (seq === 7 ? answerTo(seq, seed).replace("+", "-") : answerTo(seq, seed)));
  expect(greeting?.rest).toBe(answers.join(""));
});
