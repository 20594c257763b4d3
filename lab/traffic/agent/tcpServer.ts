import { createServer, type Server, type Socket } from "node:net";
import { errorCode } from "./flow.ts";
import { Frames } from "./frames.ts";
import { forward, ofProbe, readRecord, recordSize, reverse, writeRecord } from "./record.ts";
import type { RecordFlow } from "./recordFlow.ts";
import type { Sessions } from "./sessions.ts";

/** Waits this long for the record that says which flow a connection is. */
const firstRecordWithinMs = 120_000;

/** Accepts TCP flows on an address. @throws the listening socket's error (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
export async function serveTcp(address: string, port: number, sessions: Sessions): Promise<Server> {
  const server = createServer({ noDelay: true }, (socket) => accept(socket, sessions));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, backlog: 1024 }, resolve);
  });
  return server;
}

function accept(socket: Socket, sessions: Sessions): void {
  const frames = new Frames();
  let flow: RecordFlow | undefined;
  let answered = false;
  const onFrame = (bytes: Buffer, at: number): void => {
    if (flow !== undefined) {
      flow.receive(bytes, at);
      return;
    }
    if (answered || socket.destroyed) return;
    const header = readRecord(bytes, at);
    if (header?.purpose === ofProbe && header.direction === forward) {
      answered = true;
      const answer = Buffer.alloc(recordSize);
      writeRecord(answer, 0, { ...header, direction: reverse });
      socket.end(answer);
      return;
    }
    flow = header === undefined ? undefined : sessions.served(header.session, header.flow, "tcp");
    if (flow === undefined) {
      sessions.strays += 1;
      socket.destroy();
      return;
    }
    socket.setTimeout(0);
    adopt(socket, flow, () => flow?.receive(bytes, at));
  };
  socket.setTimeout(firstRecordWithinMs, () => {
    sessions.strays += 1;
    socket.destroy();
  });
  socket.on("data", (chunk: Buffer) => frames.push(chunk, onFrame));
  socket.on("error", (error) => flow?.noteError(errorCode(error), error.message));
  socket.on("end", () => flow?.noteError("EOF", `the client's side ended the stream, ${frames.pendingBytes} bytes into a record`));
}

/** Makes a connection the flow's own. A flow that connects again is counted and heard, but never answered: it should not have. */
function adopt(socket: Socket, flow: RecordFlow, receive: () => void): void {
  flow.accepted += 1;
  flow.noteSource({ address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 });
  receive();
  if (flow.accepted > 1) return;
  flow.local = { address: socket.localAddress ?? "", port: socket.localPort ?? 0 };
  flow.transmit = (record) => socket.write(record);
  flow.destroy = () => socket.destroy();
  flow.state = "open";
  socket.once("close", () => flow.end());
  flow.speak(flow.intervalMs);
}
