import { createConnection, type Socket } from "node:net";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import type { Qmp } from "./qmp.ts";

/** What QEMU is to keep a console by: a socket that takes keys, and the file that has its output all the while. Source: QEMU's qapi/char.json, ChardevBackend. */
function backendOf(file: string, socket: string) {
  return { type: "socket", data: { addr: { type: "unix", data: { path: socket } }, server: true, wait: false, logfile: file, logappend: true } };
}

/**
 * Makes a machine's serial console take keys by a socket, from one connection at a time. Its output goes on into its file, whether anybody is connected or not.
 * The device and its state are not touched: a saved machine does not know. To be called once.
 * @throws Failure when QEMU refuses.
 */
export async function openConsole(qmp: Qmp, file: string, socket: string): Promise<void> {
  await qmp.execute("chardev-change", { id: "console", backend: backendOf(file, socket) });
}

/** A connection to a console that was opened. What comes by it is thrown away, as the file has it; it must be taken, as QEMU would wait for whoever does not. @throws Failure when nobody listens there. */
export async function connectToConsole(machine: string, path: string): Promise<Socket> {
  const socket = createConnection(path);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", (cause) => reject(new Failure({ tried: `reach the console of ${machine} at ${path}`, seen: messageOf(cause), remedy: "Look whether its QEMU runs: fwlab status", exit: exitCode.invalid, cause })));
  });
  // What breaks it off is QEMU's end, which its close tells.
  socket.on("error", () => undefined);
  return socket.resume();
}
