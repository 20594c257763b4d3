import type { RemoteInfo, Socket } from "node:dgram";
import { forward, ofFlow, readRecord, recordSize } from "./record.ts";
import type { RecordFlow } from "./recordFlow.ts";
import type { Sessions } from "./sessions.ts";
import { udpSocket } from "./udpSocket.ts";

/** Answers UDP flows on an address. @throws the socket's error (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
export async function serveUdp(address: string, port: number, sessions: Sessions): Promise<Socket> {
  const socket = udpSocket(address);
  /** Whose source an address is, for datagrams too broken to say it. */
  const bySource = new Map<string, RecordFlow>();
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, address, () => {
      socket.off("error", reject);
      resolve();
    });
  });
  // An answer that a firewall refuses comes back as an error of the shared socket: it names no flow, and the ledgers show the loss.
  socket.on("error", () => {
    sessions.strays += 1;
  });
  socket.on("message", (bytes, from) => take(socket, bytes, from, sessions, bySource));
  return socket;
}

function take(socket: Socket, bytes: Buffer, from: RemoteInfo, sessions: Sessions, bySource: Map<string, RecordFlow>): void {
  const source = `${from.address}:${from.port}`;
  const header = bytes.length === recordSize ? readRecord(bytes, 0) : undefined;
  if (header === undefined) {
    const flow = bySource.get(source);
    if (flow === undefined) sessions.strays += 1;
    else flow.corrupt += 1;
    return;
  }
  const flow = header.purpose === ofFlow && header.direction === forward ? sessions.served(header.session, header.flow, "udp") : undefined;
  if (flow === undefined) {
    sessions.strays += 1;
    return;
  }
  bySource.set(source, flow);
  flow.accepted = 1;
  flow.state = "open";
  flow.noteSource({ address: from.address, port: from.port });
  // Each new request gets one answer; a duplicate is noted and gets none, or one duplicate would look like two.
  if (!flow.receive(bytes, 0)) return;
  flow.transmit = (record) => socket.send(record, from.port, from.address, (error) => {
    if (error !== null) flow.noteError("code" in error && typeof error.code === "string" ? error.code : error.name, error.message);
  });
  flow.sendNext();
}
