import { connect } from "node:net";
import { errorCode } from "./flow.ts";
import { Frames } from "./frames.ts";
import type { RecordFlow } from "./recordFlow.ts";
import { sideBySide } from "./sideBySide.ts";

/** At most so many handshakes at a time: an emulated server that is flooded with SYNs loses some, and each then costs a second. */
const handshakesAtATime = 32;

/** Opens TCP flows to `address`; each is opened once and never again, whatever becomes of it. */
export function openTcpFlows(address: string, flows: readonly RecordFlow[], firstInMs: (flow: RecordFlow) => number): void {
  sideBySide(flows, handshakesAtATime, (flow, onSettled) => openTcpFlow(address, flow, firstInMs(flow), onSettled));
}

function openTcpFlow(address: string, flow: RecordFlow, firstInMs: number, onSettled: () => void): void {
  // The host may have closed the session while others were opened.
  if (flow.state === "ended") return;
  const frames = new Frames();
  const socket = connect({ host: address, port: flow.order.port, noDelay: true, ...(flow.order.source !== undefined && { localAddress: flow.order.source }) });
  flow.destroy = () => socket.destroy();
  socket.once("connect", () => {
    // The host may have closed the session while the handshake was under way.
    if (flow.state === "ended") return;
    flow.local = { address: socket.localAddress ?? "", port: socket.localPort ?? 0 };
    flow.transmit = (record) => socket.write(record);
    flow.state = "open";
    flow.sendNext();
    flow.speak(firstInMs);
    onSettled();
  });
  socket.on("data", (chunk: Buffer) => frames.push(chunk, (bytes, at) => flow.receive(bytes, at)));
  socket.on("error", (error) => flow.noteError(errorCode(error), error.message));
  socket.on("end", () => flow.noteError("EOF", `the server's side ended the stream, ${frames.pendingBytes} bytes into a record`));
  socket.once("close", () => {
    if (flow.state === "new") onSettled();
    flow.end();
  });
}
