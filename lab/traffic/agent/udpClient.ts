import { errorCode } from "./flow.ts";
import { recordSize } from "./record.ts";
import type { RecordFlow } from "./recordFlow.ts";
import { udpSocket } from "./udpSocket.ts";

/** Opens a UDP flow with a source port of its own: sends numbered requests, notes the answers and every ICMP error. */
export function openUdpFlow(address: string, flow: RecordFlow, firstInMs: number): void {
  const socket = udpSocket(address);
  flow.destroy = () => {
    flow.destroy = undefined;
    socket.close();
  };
  socket.on("error", (error) => flow.noteError(errorCode(error), error.message));
  socket.on("message", (bytes) => {
    if (bytes.length === recordSize) flow.receive(bytes, 0);
    else flow.corrupt += 1;
  });
  socket.once("connect", () => {
    if (flow.state === "ended") return;
    const { address: localAddress, port } = socket.address();
    flow.local = { address: localAddress, port };
    flow.transmit = (record) => socket.send(record, (error) => {
      if (error !== null) flow.noteError(errorCode(error), error.message);
    });
    flow.state = "open";
    flow.speak(firstInMs);
  });
  // Connected, so that the kernel hands up ICMP errors, and datagrams from anywhere else never come in.
  socket.connect(flow.order.port, address);
}
