import { readdir } from "node:fs/promises";
import { createConnection, type Socket } from "node:net";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { absent } from "../image/manifest.ts";
import { placeOf, standingFolder, type LabPlace } from "./place.ts";
import { linesOf } from "./socketLines.ts";
import { answerSchema, type LabRequest, type Said } from "./words.ts";

/** Takes what a standing lab answers; each is left out where nothing of the kind is expected. */
export interface Takers {
  readonly onOut?: (chunk: Buffer) => void;
  readonly onErr?: (chunk: Buffer) => void;
  readonly onNote?: (line: string) => void;
  readonly onData?: (data: unknown) => void;
}

/** A question to a standing lab that is being answered. */
export interface Asked {
  /** Says more: input, its end, the terminal's size. */
  readonly say: (said: Said) => void;
  /** How it ended. Rejects with the lab's Failure, or one of a connection that broke. */
  readonly ended: Promise<number>;
  /** Breaks off: nothing more is wanted. */
  readonly hangUp: () => void;
}

/** Asks something of the standing lab at a place. @throws Failure (usage) when there is none. */
export async function askLab(place: LabPlace, request: LabRequest, takers: Takers = {}): Promise<Asked> {
  const socket = await connected(place);
  let hungUp = false;
  const say = (words: Said | LabRequest): void => void socket.write(`${JSON.stringify(words)}\n`);
  const ended = answered(socket, takers, place, () => hungUp);
  say(request);
  return {
    say,
    ended,
    hangUp: () => {
      hungUp = true;
      socket.destroy();
    },
  };
}

/** As `askLab`, for what is answered by its end alone. Gives what was told as data. @throws Failure as the lab's. */
export async function askOnce(place: LabPlace, request: LabRequest, takers: Takers = {}): Promise<unknown> {
  let data: unknown;
  const { ended } = await askLab(place, request, { ...takers, onData: (told) => (data = told) });
  await ended;
  return data;
}

/** Whether a lab stands there, and answers. */
export async function isStanding(place: LabPlace): Promise<boolean> {
  try {
    (await connected(place)).destroy();
    return true;
  } catch {
    return false;
  }
}

/** The names of the labs that stand. */
export async function standingLabs(): Promise<string[]> {
  const names = (await readdir(standingFolder()).catch(absent)) ?? [];
  const standing = await Promise.all(names.map(async (name) => ((await isStanding(placeOf(name))) ? [name] : [])));
  return standing.flat().toSorted();
}

function connected(place: LabPlace): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(place.socket);
    socket.once("connect", () => resolve(socket));
    socket.once("error", (cause: NodeJS.ErrnoException) => {
      const seen = cause.code === "ENOENT" || cause.code === "ECONNREFUSED" ? "no lab of that name stands" : cause.message;
      reject(new Failure({ tried: `reach the lab ${place.name}`, seen, remedy: "fwlab up brings one up; fwlab status --all lists those that stand", exit: exitCode.usage, cause }));
    });
  });
}

async function answered(socket: Socket, { onOut, onErr, onNote, onData }: Takers, place: LabPlace, hungUp: () => boolean): Promise<number> {
  let broken: Error | undefined;
  socket.on("error", (error) => (broken = error));
  try {
    for await (const line of linesOf(socket)) {
      const answer = answerSchema.parse(JSON.parse(line));
      if ("out" in answer) onOut?.(Buffer.from(answer.out, "base64"));
      else if ("err" in answer) onErr?.(Buffer.from(answer.err, "base64"));
      else if ("note" in answer) onNote?.(answer.note);
      else if ("data" in answer) onData?.(answer.data);
      else if ("failed" in answer) throw new Failure(answer.failed);
      else return answer.ended;
    }
  } catch (error) {
    // What broke is told by the missing last word.
    if (error !== broken) throw error;
  }
  if (hungUp()) return exitCode.pass;
  throw new Failure({ tried: `ask the lab ${place.name}`, seen: `it ended before it answered${broken === undefined ? "" : ` (${messageOf(broken)})`}`, remedy: `Look at ${place.log}`, exit: exitCode.invalid, cause: broken });
}
