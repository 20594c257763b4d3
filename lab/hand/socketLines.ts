import type { Socket } from "node:net";
import { createInterface, type Interface } from "node:readline";

/** The lines that come over a socket. They end with its close, too: by themselves they end with their input's end, and a socket that is destroyed has none. */
export function linesOf(socket: Socket): Interface {
  const lines = createInterface({ input: socket });
  socket.once("close", () => lines.close());
  return lines;
}
