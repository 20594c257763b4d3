import { createServer, type Socket } from "node:net";
import type { Agent } from "./agent.ts";
import { BadRequest, fieldsOf, integerField, stringField } from "./fields.ts";
import { errorCode } from "./flow.ts";

/** No request is longer: one that is cannot be ours. */
const longestLine = 8 * 1024 * 1024;

const listenAgainMs = 250;

/**
 * Listens for control connections: a request a line, `{id, method, params}`, and an answer a line with the same id.
 * Waits for the address to appear, as an agent may be started before its network is. @throws any other error of the socket.
 */
export async function listenForControl(agent: Agent, address: string, port: number): Promise<void> {
  for (let told = false; ;) {
    try {
      await listen(agent, address, port);
      return;
    } catch (error) {
      if (!(error instanceof Error) || errorCode(error) !== "EADDRNOTAVAIL") throw error;
      if (!told) process.stderr.write(`waiting for address ${address}\n`);
      told = true;
      await new Promise((resolve) => setTimeout(resolve, listenAgainMs));
    }
  }
}

function listen(agent: Agent, address: string, port: number): Promise<void> {
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => attend(agent, socket));
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port }, resolve);
  });
}

function attend(agent: Agent, socket: Socket): void {
  let parts: string[] = [];
  let length = 0;
  socket.setEncoding("utf8");
  // The host takes the connection up again; an error of this one says nothing about the flows.
  socket.on("error", () => socket.destroy());
  socket.on("data", (text: string) => {
    const lines = text.split("\n");
    const last = lines.pop() ?? "";
    for (const line of lines) {
      void reply(agent, parts.join("") + line, socket);
      parts = [];
      length = 0;
    }
    parts.push(last);
    length += last.length;
    if (length > longestLine) socket.destroy();
  });
}

async function reply(agent: Agent, line: string, socket: Socket): Promise<void> {
  let id = -1;
  let answer: object;
  try {
    const request = fieldsOf(JSON.parse(line));
    id = integerField(request, "id", 0, Number.MAX_SAFE_INTEGER);
    answer = { id, ok: true, result: await agent.answer(stringField(request, "method"), request.params) };
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new BadRequest(String(thrown));
    answer = { id, ok: false, code: errorCode(error), message: error.message };
  }
  if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`);
}
