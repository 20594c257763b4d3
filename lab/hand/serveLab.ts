import { createServer, type Socket } from "node:net";
import type { Readable } from "node:stream";
import { execa } from "execa";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { capturePoints, managementBridge } from "../topology/topology.ts";
import { Conversation, failedAnswer } from "./conversation.ts";
import type { StandingLab } from "./standingLab.ts";
import { tellConsole } from "./tellConsole.ts";
import type { Answer, LabRequest } from "./words.ts";

export interface ServeLabOptions {
  readonly lab: StandingLab;
  /** Path of the socket, in a folder that nobody but the user enters. */
  readonly socket: string;
  /** Folder for the sockets that take the consoles' keys, where nobody but the lab comes. */
  readonly keysFolder: string;
  /** Told when somebody asks that the lab be taken down. */
  readonly onDown: () => void;
  /** Takes a line for each thing that was asked. */
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

interface Serving extends ServeLabOptions {
  /** Names of the machines at whose consoles somebody types. */
  readonly typedAt: Set<string>;
}

/** Answers what is asked of a standing lab, until it is disposed of. @throws when the socket cannot be made. */
export async function serveLab(options: ServeLabOptions): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  const serving: Serving = { ...options, typedAt: new Set() };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    void converse(serving, new Conversation(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.socket, resolve);
  });
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** One conversation, from the request to the last word. Never rejects: what goes wrong is an answer. */
async function converse(options: Serving, conversation: Conversation): Promise<void> {
  try {
    const request = await conversation.request();
    options.log(JSON.stringify(request));
    await conversation.end(await answerTo(request, options, conversation));
    // Only now, as the lab takes its conversations with it.
    if (request.verb === "down") options.onDown();
  } catch (error) {
    if (!conversation.gone.aborted) options.log(`failed: ${messageOf(error)}`);
    await conversation.end(failedAnswer(error));
  }
}

const done: Answer = { ended: exitCode.pass };

async function answerTo(request: LabRequest, options: Serving, conversation: Conversation): Promise<Answer> {
  const { lab } = options;
  switch (request.verb) {
    case "status":
      await conversation.answer({ data: await lab.status(AbortSignal.any([options.signal, conversation.gone])) });
      return done;
    case "session":
      return { ended: await session(lab, request, conversation) };
    case "console":
      machineOf(lab, request.machine, "read the console of");
      await tellConsole({ machine: () => lab.lab.machine(request.machine), folder: options.keysFolder, typedAt: options.typedAt }, request, conversation);
      return done;
    case "capture":
      return { ended: await capture(lab, request, conversation) };
    case "viewer":
      machineOf(lab, request.machine, "open the graphical console of");
      await conversation.answer({ data: lab.graphicalConsole(request.machine) });
      return done;
    case "fault":
      await conversation.answer({ note: await lab.fault(request.id, request.target) });
      return done;
    case "heal": {
      const healed = await lab.heal(request.target ?? undefined);
      await conversation.answer({ note: healed.length === 0 ? "nothing was broken by hand" : `healed: ${healed.join(", ")}` });
      return done;
    }
    case "snapshot":
      await lab.snapshot(request.name);
      await conversation.answer({ note: `saved as ${request.name}; the lab goes on` });
      return done;
    case "restore":
      await lab.restore(request.name);
      await conversation.answer({ note: `the lab is as it was when it was saved as ${request.name}` });
      return done;
    case "down":
      return done;
  }
}

/** A command or a login shell on a machine. Gives its exit code, 255 when the connection broke, as ssh(1) does. */
async function session(lab: StandingLab, { machine: name, command, terminal }: Extract<LabRequest, { verb: "session" }>, conversation: Conversation): Promise<number> {
  const { shell } = machineOf(lab, name, "open a session on");
  const channel = await shell.session(command ?? undefined, terminal ?? undefined, conversation.gone);
  let code: number | undefined;
  channel.on("exit", (exit: number | null) => (code = exit ?? 128));
  const closed = new Promise<void>((resolve) => channel.once("close", () => resolve()));
  // What a broken channel complains of is told by its end without an exit code.
  channel.on("error", () => undefined);
  // A machine that was slow to open it may have been given up meanwhile.
  if (conversation.gone.aborted) channel.close();
  conversation.gone.addEventListener("abort", () => channel.close(), { once: true });
  void hear(conversation, channel);
  await Promise.all([relay(channel, (chunk) => conversation.out(chunk)), relay(channel.stderr, (chunk) => conversation.err(chunk))]);
  await closed;
  return code ?? 255;
}

interface Heard {
  write(chunk: Buffer): unknown;
  end(): unknown;
  setWindow(rows: number, columns: number, height: number, width: number): unknown;
}

async function hear(conversation: Conversation, channel: Heard): Promise<void> {
  try {
    for await (const said of conversation.said()) {
      if ("in" in said) channel.write(Buffer.from(said.in, "base64"));
      else if ("inEnd" in said) channel.end();
      else channel.setWindow(said.rows, said.columns, 0, 0);
    }
  } catch {
    // Words that are none end the command's input: whoever said them is no fwlab of this version.
    channel.end();
  }
}

async function relay(source: Readable, take: (chunk: Buffer) => Promise<void>): Promise<void> {
  try {
    for await (const chunk of source) await take(chunk as Buffer);
  } catch {
    // A stream that breaks off has told all that it will; the channel's own end says how it ended.
  }
}

/** Frames at a bridge or a tap by dumpcap, as they come. Gives its exit code. @throws Failure (usage) for a point that the lab lacks, or a filter that dumpcap cannot read. */
async function capture({ topology }: StandingLab, { point, filter }: Extract<LabRequest, { verb: "capture" }>, conversation: Conversation): Promise<number> {
  const points = [...capturePoints(topology), managementBridge];
  if (!points.includes(point)) throw new Failure({ tried: `capture at ${point}`, seen: `the lab has no such bridge or tap; it has ${points.join(", ")}`, remedy: "Name one of them", exit: exitCode.usage });
  const dumpcap = execa("setpriv", ["--pdeathsig", "KILL", "dumpcap", "-q", "-i", point, ...(filter === null ? [] : ["-f", filter]), "-w", "-"], {
    stdin: "ignore",
    encoding: "buffer",
    buffer: { stdout: false },
    reject: false,
    detached: true,
    cleanup: false,
    env: { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  });
  let bytes = 0;
  const stop = (): void => void dumpcap.kill("SIGTERM");
  conversation.gone.addEventListener("abort", stop, { once: true });
  await relay(dumpcap.stdout, async (chunk) => {
    bytes += chunk.length;
    await conversation.out(chunk);
  });
  const { exitCode: code, stderr } = await dumpcap;
  if (bytes === 0 && !conversation.gone.aborted) {
    throw new Failure({ tried: `capture at ${point}${filter === null ? "" : ` what ${JSON.stringify(filter)} lets through`}`, seen: messageOf(Buffer.from(stderr).toString()) || "dumpcap ended without a word", remedy: "A filter is written as pcap-filter(7) has it", exit: exitCode.usage });
  }
  return code ?? 0;
}

function machineOf({ lab }: StandingLab, name: string, what: string): ReturnType<typeof lab.machine> {
  if (!lab.names.includes(name)) throw new Failure({ tried: `${what} ${name}`, seen: `the lab has no machine ${name}; it has ${lab.names.join(", ")}`, remedy: "Name one of them", exit: exitCode.usage });
  const machine = lab.machine(name);
  if (!machine.isOn && what.startsWith("open")) throw new Failure({ tried: `${what} ${name}`, seen: "its power is off", remedy: `fwlab heal ${name} gives it back`, exit: exitCode.usage });
  return machine;
}
