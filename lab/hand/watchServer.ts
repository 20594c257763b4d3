import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { changesBetween, type Change } from "./changes.ts";
import { watchedMarkup, watchPage, type Watched } from "./watchPage.ts";
import type { LabStatus } from "./words.ts";

export interface WatchServerOptions {
  readonly name: string;
  /** Looks at the lab. */
  readonly look: (signal: AbortSignal) => Promise<LabStatus>;
  /** 0 for any that is free. */
  readonly port: number;
  /** From the end of one look to the next, in milliseconds. */
  readonly pauseMs: number;
  readonly signal: AbortSignal;
}

export interface WatchServer extends AsyncDisposable {
  /** Of the page, with the word that lets its reader in. */
  readonly url: string;
  /** Settles when the lab gives no answer any more, with why; never rejects. */
  readonly ended: Promise<string>;
}

/** Only this host's own programs reach it. */
const loopback = "127.0.0.1";
const mostChanges = 200;

/**
 * Serves a page that shows a lab live, on loopback alone, to whoever has the word in its address: other users of the host do not. Looks at the lab before it resolves.
 * @throws what `look` throws at first; Failure (usage) when the port cannot be had.
 */
export async function serveWatch({ name, look, port, pauseMs, signal }: WatchServerOptions): Promise<WatchServer> {
  const key = randomBytes(16).toString("hex");
  const closing = new AbortController();
  const ending = AbortSignal.any([signal, closing.signal]);
  let watched: Watched = { name, status: await look(ending), atMs: Date.now(), changes: [] };
  const readers = new Set<ServerResponse>();
  const server = createServer((request, response) => answer(request, response, { key, watched: () => watched, readers }));
  await listening(server, port);
  const goOn = async (): Promise<string> => {
    for (;;) {
      try {
        await delay(pauseMs, undefined, { signal: ending });
        const status = await look(ending);
        const atMs = Date.now();
        const changes: Change[] = [...changesBetween(watched.status, status, atMs), ...watched.changes].slice(0, mostChanges);
        watched = { name, status, atMs, changes };
        for (const reader of readers) reader.write(eventOf(watched));
      } catch (error) {
        return ending.aborted ? "no longer wanted" : messageOf(error);
      }
    }
  };
  const ended = goOn();
  return {
    url: `http://${loopback}:${(server.address() as AddressInfo).port}/?key=${key}`,
    ended,
    async [Symbol.asyncDispose]() {
      closing.abort(new Error("nobody watches any more"));
      await ended;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listening(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(new Failure({ tried: `serve the page at ${loopback}:${port}`, seen: messageOf(cause), remedy: "Leave --port out, and a free one is taken", exit: exitCode.usage, cause })));
    server.listen(port, loopback, resolve);
  });
}

function eventOf(watched: Watched): string {
  return `data: ${JSON.stringify(watchedMarkup(watched))}\n\n`;
}

interface Served {
  readonly key: string;
  readonly watched: () => Watched;
  readonly readers: Set<ServerResponse>;
}

function answer(request: IncomingMessage, response: ServerResponse, { key, watched, readers }: Served): void {
  const url = new URL(request.url ?? "/", `http://${loopback}`);
  const refuse = (code: number, text: string) => response.writeHead(code, { "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
  // A page of the world's that a browser here shows could ask for this one, by a name that leads to loopback; it does not know the word.
  const given = Buffer.from(url.searchParams.get("key") ?? "");
  if (given.length !== key.length || !timingSafeEqual(given, Buffer.from(key))) {
    refuse(403, "The address that fwlab watch printed has a key behind it: open that one.");
    return;
  }
  if (request.method !== "GET") {
    refuse(405, "This page is only looked at.");
    return;
  }
  if (url.pathname === "/") {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" }).end(watchPage(watched(), randomBytes(16).toString("base64url")));
    return;
  }
  if (url.pathname !== "/events") {
    refuse(404, "There is nothing here but the page.");
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" });
  response.write(eventOf(watched()));
  readers.add(response);
  response.once("close", () => readers.delete(response));
}
