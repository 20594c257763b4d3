import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { exitCode, Failure } from "../failure/failure.ts";
import { connectToConsole } from "../machine/consoleKeys.ts";
import type { Machine } from "../machine/machine.ts";
import type { Conversation } from "./conversation.ts";
import { requireShort } from "./place.ts";
import type { LabRequest } from "./words.ts";

export interface ConsoleTelling {
  /** The machine as it runs now: each power on makes another one, with a file of its own. */
  readonly machine: () => Pick<Machine, "name" | "isOn" | "consoleFile" | "openConsole">;
  /** Folder for the sockets that take keys, where nobody but the lab comes. */
  readonly folder: string;
  /** Names of the machines at whose consoles somebody types. */
  readonly typedAt: Set<string>;
}

/** How often a console's file is looked at for more, in milliseconds: somebody who types wants to see it. */
const followMs = 200;
const typingMs = 25;

/** Of what was said before, so much is told to somebody who comes to type. */
const historyLines = 24;
const historyBytes = 8 * 1024;

/**
 * What a machine's serial console said and goes on to say, from one power on to the next; with keys, to one at a time, the last lines of it alone, and what is said in the conversation
 * is typed there. @throws Failure (usage) when somebody else types there.
 */
export async function tellConsole(telling: ConsoleTelling, { machine: name, follow, keys }: Extract<LabRequest, { verb: "console" }>, conversation: Conversation): Promise<void> {
  const { machine, typedAt } = telling;
  if (!keys) return followConsole(machine, conversation, { follow, pauseMs: followMs, onMachine: () => Promise.resolve(0) });
  if (typedAt.has(name)) {
    throw new Failure({ tried: `type at the console of ${name}`, seen: "somebody else does, and it takes one at a time", remedy: `fwlab console ${name} --no-keys follows it`, exit: exitCode.usage });
  }
  typedAt.add(name);
  const typing = new Typing(telling, conversation);
  try {
    await followConsole(machine, conversation, { follow, pauseMs: typingMs, onMachine: (isFirst) => typing.moveTo(isFirst) });
  } finally {
    typing.end();
    typedAt.delete(name);
  }
}

interface Following {
  readonly follow: boolean;
  readonly pauseMs: number;
  /** Told of the machine as it runs from now on. Gives from which byte of its file on is told. */
  readonly onMachine: (isFirst: boolean) => Promise<number>;
}

async function followConsole(machineNow: ConsoleTelling["machine"], conversation: Conversation, { follow, pauseMs, onMachine }: Following): Promise<void> {
  let followed: ReturnType<ConsoleTelling["machine"]> | undefined;
  for (let told = 0; !conversation.gone.aborted; ) {
    const machine = machineNow();
    if (machine !== followed) {
      told = await onMachine(followed === undefined);
      followed = machine;
    }
    const { size } = await stat(machine.consoleFile);
    if (size > told) {
      for await (const chunk of createReadStream(machine.consoleFile, { start: told, end: size - 1 })) await conversation.out(chunk as Buffer);
      told = size;
    }
    if (!follow) return;
    await delay(pauseMs, undefined, { signal: conversation.gone }).catch(() => undefined);
  }
}

/** What one who types at a console says, on its way to the machine that runs at the moment. */
class Typing {
  readonly #telling: ConsoleTelling;
  readonly #conversation: Conversation;
  #line: Socket | undefined;

  constructor(telling: ConsoleTelling, conversation: Conversation) {
    this.#telling = telling;
    this.#conversation = conversation;
  }

  /** Connects to the machine as it runs now. Gives from which byte of its console's file on is to be told. */
  async moveTo(isFirst: boolean): Promise<number> {
    const machine = this.#telling.machine();
    this.#line?.destroy();
    this.#line = machine.isOn ? await this.#connected(machine) : undefined;
    if (this.#line === undefined) await this.#noPower();
    if (!isFirst) return 0;
    // What was said before waits in the conversation.
    void this.#hear();
    return startOfLastLines(machine.consoleFile);
  }

  async #connected(machine: ReturnType<ConsoleTelling["machine"]>): Promise<Socket> {
    const path = requireShort(join(this.#telling.folder, `${machine.name}.console`));
    await machine.openConsole(path);
    const line = await connectToConsole(machine.name, path);
    line.once("close", () => {
      if (this.#line !== line) return;
      this.#line = undefined;
      void this.#noPower();
    });
    return line;
  }

  #noPower(): Promise<void> {
    return this.#conversation.answer({ note: `the power of ${this.#telling.machine().name} is off: nobody takes keys` });
  }

  /** Types what is said, until nothing more is. Never rejects. */
  async #hear(): Promise<void> {
    try {
      for await (const said of this.#conversation.said()) if ("in" in said) this.#line?.write(Buffer.from(said.in, "base64"));
    } catch {
      // Words that are none: whoever said them is no fwlab of this version, and is heard no further.
    }
  }

  end(): void {
    const line = this.#line;
    this.#line = undefined;
    line?.destroy();
  }
}

/** Where the last lines of a file begin. */
async function startOfLastLines(path: string): Promise<number> {
  await using file = await open(path);
  const { size } = await file.stat();
  const from = Math.max(0, size - historyBytes);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
  const text = buffer.toString("latin1", 0, bytesRead);
  const lines = text.split("\n").slice(-historyLines);
  return from + bytesRead - lines.join("\n").length;
}
