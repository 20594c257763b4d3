import type { Socket } from "node:net";
import { Client, type ClientErrorExtensions } from "ssh2";
import type { SshLogin } from "./sshIdentity.ts";

/** What becomes of a terminal. After `ended` whatever else is told means nothing. */
export interface TerminalEvents {
  /** The program was started: keystrokes go to `type` from now on. */
  readonly started: (type: (keystroke: string) => void) => void;
  /** Output, one character a byte. */
  readonly heard: (output: string) => void;
  /** Codes: EHOSTKEY another host key, ELOGIN refused, EIDENTITY a key that cannot be read, ESSH another error of SSH, EOF an end. */
  readonly ended: (code: string, message: string) => void;
}

/** Logs in over a connected socket and runs a program there under a pty. The socket's own errors are for its owner to note. */
export function openTerminal(socket: Socket, { username, privateKey, hostKey }: SshLogin, program: string, { started, heard, ended }: TerminalEvents): void {
  const client = new Client();
  let strange = false;
  client.on("error", (error) => {
    if (strange) ended("EHOSTKEY", "the server shows another host key than the one made for it");
    else ended(codeOf(error), error.message);
  });
  client.on("close", () => ended("EOF", "the SSH connection ended"));
  client.once("ready", () => {
    client.exec(program, { pty: { term: "dumb", cols: 80, rows: 24 } }, (error, channel) => {
      if (error !== undefined) {
        ended("ESSH", error.message);
        return;
      }
      channel.on("data", (bytes: Buffer) => heard(bytes.toString("latin1")));
      channel.on("error", (failed: Error) => ended("ESSH", failed.message));
      channel.on("close", () => ended("EOF", "the far side's program ended"));
      started((keystroke) => channel.write(keystroke));
    });
  });
  try {
    client.connect({
      sock: socket,
      username,
      privateKey,
      algorithms: { serverHostKey: hostKey.algorithms },
      hostVerifier: (shown: Buffer) => {
        strange = !shown.equals(hostKey.bytes);
        return !strange;
      },
      // The flow has to outlive a long stall: nothing here may give it up.
      readyTimeout: 0,
      keepaliveInterval: 0,
    });
  } catch (error) {
    ended("EIDENTITY", error instanceof Error ? error.message : String(error));
  }
}

function codeOf(error: Error & ClientErrorExtensions): string {
  if (error.level === "client-authentication") return "ELOGIN";
  return "code" in error && typeof error.code === "string" ? error.code : "ESSH";
}
