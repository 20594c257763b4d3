import { once } from "node:events";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import { Conversation } from "./conversation.ts";
import { untilEscape } from "./escapeKey.ts";
import { tellConsole, type ConsoleTelling } from "./tellConsole.ts";
import { answerSchema } from "./words.ts";

/** Stands for a machine's QEMU: what is typed is echoed into the console's file, in capitals. */
class FakeMachine {
  readonly name = "fw-1";
  readonly consoleFile: string;
  isOn = true;
  opened = 0;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(consoleFile: string) {
    this.consoleFile = consoleFile;
  }

  async openConsole(path: string): Promise<void> {
    this.opened += 1;
    if (this.#server !== undefined) return;
    await rm(path, { force: true });
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("data", (chunk: Buffer) => void appendFile(this.consoleFile, chunk.toString().toUpperCase()));
    }).listen(path);
    await once(this.#server, "listening");
  }

  cut(): void {
    this.isOn = false;
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Both ends of a conversation, and what the lab's end has told. */
async function converse(folder: string) {
  const path = join(folder, "socket");
  const server = createServer().listen(path);
  await once(server, "listening");
  const [[labsEnd], client] = await Promise.all([once(server, "connection") as Promise<[Socket]>, Promise.resolve(createConnection(path))]);
  server.close();
  await rm(path, { force: true });
  let told = "";
  const notes: string[] = [];
  let rest = "";
  client.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const answer = answerSchema.parse(JSON.parse(line));
      if ("out" in answer) told += Buffer.from(answer.out, "base64").toString();
      else if ("note" in answer) notes.push(answer.note);
    }
  });
  const type = (keys: string): void => void client.write(`${JSON.stringify({ in: Buffer.from(keys).toString("base64") })}\n`);
  return { conversation: new Conversation(labsEnd), told: () => told, notes, type, hangUp: () => client.destroy() };
}

const request = { verb: "console", machine: "fw-1", follow: true, keys: true } as const;
const soon = { timeout: 5_000, interval: 20 };

describe("a machine's console", () => {
  let folder: string;
  let machine: FakeMachine;
  let telling: ConsoleTelling;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "fwlab-console-"));
    machine = new FakeMachine(join(folder, "fw-1.log"));
    await writeFile(machine.consoleFile, "");
    telling = { machine: () => machine, folder, typedAt: new Set() };
  });
  afterEach(async () => {
    machine.cut();
    await rm(folder, { recursive: true, force: true });
  });

  test("takes what is typed, and tells what comes of it; of what was said before only the last lines", async () => {
    await writeFile(machine.consoleFile, Array.from({ length: 100 }, (_, number) => `line ${number}\n`).join(""));
    const one = await converse(folder);
    one.type("early ");
    const over = tellConsole(telling, request, one.conversation);
    one.type("keys\r");
    await expect.poll(one.told, soon).toMatch(/^line 77\n[^]*line 99\nEARLY KEYS\r$/u);
    one.hangUp();
    await over;
    expect(telling.typedAt).toEqual(new Set());
  });

  test("takes keys of one alone: a second one is refused in a line, may follow, and comes in when the first has left", async () => {
    const one = await converse(folder);
    const over = tellConsole(telling, request, one.conversation);
    const refused = await tellConsole(telling, request, (await converse(folder)).conversation).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Failure);
    expect(refused).toMatchObject({ exit: 2, message: expect.stringMatching(/type at the console of fw-1: somebody else does.*--no-keys/u) as string });
    const follower = await converse(folder);
    const followed = tellConsole(telling, { ...request, keys: false }, follower.conversation);
    one.type("seen by both");
    await expect.poll(follower.told, soon).toBe("SEEN BY BOTH");
    for (const each of [one, follower]) each.hangUp();
    await Promise.all([over, followed]);
    const next = await converse(folder);
    const again = tellConsole(telling, request, next.conversation);
    next.type(" once more");
    await expect.poll(next.told, soon).toBe("SEEN BY BOTH ONCE MORE");
    next.hangUp();
    await again;
  });

  test("says when the power is off, and goes on with the machine that has it again", async () => {
    const one = await converse(folder);
    const over = tellConsole(telling, request, one.conversation);
    one.type("first");
    await expect.poll(one.told, soon).toBe("FIRST");
    machine.cut();
    await expect.poll(() => one.notes, soon).toEqual(["the power of fw-1 is off: nobody takes keys"]);
    const second = new FakeMachine(join(folder, "fw-1-2.log"));
    await writeFile(second.consoleFile, "fwlab: first process\n");
    machine = second;
    await expect.poll(one.told, soon).toBe("FIRSTfwlab: first process\n");
    one.type("second");
    await expect.poll(one.told, soon).toBe("FIRSTfwlab: first process\nSECOND");
    one.hangUp();
    await over;
  });

  test("is left as it is, and told from its beginning, where nobody wants to type", async () => {
    await writeFile(machine.consoleFile, "all of it\n".repeat(100));
    const one = await converse(folder);
    await tellConsole(telling, { ...request, follow: false, keys: false }, one.conversation);
    await expect.poll(one.told, soon).toBe("all of it\n".repeat(100));
    expect(machine.opened).toBe(0);
    one.hangUp();
  });
});

test.each([
  ["ls\r", "ls\r", false],
  ["ls\u001dnever", "ls", true],
  ["\u001d", "", true],
])("of %j typed, %j is for the machine", (typed, keys, leaves) => {
  expect(untilEscape(Buffer.from(typed))).toEqual({ keys: Buffer.from(keys), leaves });
});
