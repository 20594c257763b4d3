import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { expect, test } from "vitest";
import { cacheFolder } from "../../lab/host/cacheFolder.ts";
import { temporaryFolder } from "./folders.ts";
import type { Sight } from "./sideBySide.fixture.ts";
import { Traces } from "./traces.ts";

const fixture = fileURLToPath(new URL("sideBySide.fixture.ts", import.meta.url));
const temporary = temporaryFolder();

/** A lab of one machine, in namespaces of its own, that does what it is told line by line. */
function startLab(token: string, own: number, other: number, traces: Traces) {
  const lab = execa(process.execPath, ["--import", "tsx", fixture, token, String(own), String(other)], {
    env: traces.environment,
    stdin: "pipe",
    stderr: "inherit",
    reject: false,
  });
  const lines = lab[Symbol.asyncIterator]();
  const said = async (): Promise<unknown> => {
    const next = await lines.next();
    if (next.done === true) throw new Error(`the lab with the token ${token} ended`);
    return JSON.parse(next.value) as unknown;
  };
  const tell = (line: string) => lab.stdin.write(`${line}\n`);
  return {
    said,
    look: async (): Promise<unknown> => {
      tell("look");
      return said();
    },
    end: async () => {
      tell("end");
      return (await lab).exitCode;
    },
  };
}

test("two labs at once, with the same names and addresses, do not meet", { timeout: 5 * 60_000 }, async () => {
  const traces = Traces.begin({ cache: cacheFolder(), temporary: temporary() });
  const tokens = { one: randomUUID(), other: randomUUID() };
  const labs = [startLab(tokens.one, 51, 52, traces), startLab(tokens.other, 52, 51, traces)];
  try {
    expect(await Promise.all(labs.map((lab) => lab.said()))).toEqual([{ ready: tokens.one }, { ready: tokens.other }]);
    traces.look();
    expect(traces.namespacesSeen).toBe(6);

    const alone: Omit<Sight, "token"> = {
      hostAnswers: true,
      otherAnswers: false,
      ownAddressAnswers: true,
      otherAddressAnswers: false,
      ownAddressIsTaken: false,
      otherIsNeighbour: false,
    };
    expect(await Promise.all(labs.map((lab) => lab.look()))).toEqual([
      { ...alone, token: tokens.one },
      { ...alone, token: tokens.other },
    ]);
    // One ends, the other does not notice.
    expect(await labs[0]?.end()).toBe(0);
    expect(await labs[1]?.look()).toEqual({ ...alone, token: tokens.other });
    expect(await labs[1]?.end()).toBe(0);
  } finally {
    traces.look().forEach(({ pid }) => process.kill(pid, "SIGKILL"));
  }
  await expect.poll(() => traces.leftovers(), { timeout: 5_000 }).toEqual([]);
});
