import { connect } from "node:net";
import { errorCode } from "./flow.ts";
import { sideBySide } from "./sideBySide.ts";
import type { SshFlow } from "./sshFlow.ts";
import type { SshLogin } from "./sshIdentity.ts";
import type { SshPart } from "./sshPart.ts";
import { SshTranscript } from "./sshTranscript.ts";

export interface SshOpening {
  readonly login: SshLogin;
  readonly part: SshPart;
  readonly firstInMs: (flow: SshFlow) => number;
}

/** Beyond ten logins under way sshd turns some away at random, unless it is told otherwise (MaxStartups 10:30:100). */
const loginsAtATime = 8;

/** Opens ssh flows to the sshd at `address`; each is opened once and never again, whatever becomes of it. */
export function openSshFlows(address: string, flows: readonly SshFlow[], opening: SshOpening): void {
  sideBySide(flows, loginsAtATime, (flow, onSettled) => openSshFlow(address, flow, opening, onSettled));
}

function openSshFlow(address: string, flow: SshFlow, { login, part, firstInMs }: SshOpening, onSettled: () => void): void {
  // The host may have closed the session while others logged in.
  if (flow.state === "ended") return;
  let said = "";
  const socket = connect({ host: address, port: flow.order.port, noDelay: true });
  flow.destroy = () => socket.destroy();
  const ended = (code: string, message: string): void => {
    if (flow.state !== "ended") flow.noteError(code, flow.state === "new" && said !== "" ? `${message}, having said ${JSON.stringify(said.slice(0, 200))}` : message);
    if (flow.state === "new") onSettled();
    flow.end();
    socket.destroy();
  };
  // Before ssh2's own listeners, so that a reset is told by its code, and not by what ssh2 makes of it.
  socket.on("error", (error) => ended(errorCode(error), error.message));
  socket.on("end", () => ended("EOF", "the server's side ended the TCP stream"));
  socket.once("connect", () => {
    // The host may have closed the session while the handshake was under way.
    if (flow.state === "ended") return;
    flow.local = { address: socket.localAddress ?? "", port: socket.localPort ?? 0 };
    let type: ((keystroke: string) => void) | undefined;
    part.openTerminal(socket, login, flow.program, {
      started: (typing) => {
        type = typing;
      },
      heard: (output) => {
        if (flow.state === "open") flow.hear(output);
        if (flow.state !== "new") return;
        said += output;
        const greeting = SshTranscript.greeting(said);
        if (greeting === undefined || type === undefined) return;
        flow.begin(type, greeting);
        flow.speak(firstInMs(flow));
        onSettled();
      },
      ended,
    });
  });
}
