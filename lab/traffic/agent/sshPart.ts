import type { openTerminal } from "./sshTerminal.ts";

/** What only ssh flows need, in a file of its own: ssh2 is many times the rest of the agent, and would be most of its start on an emulated guest. */
export interface SshPart {
  readonly openTerminal: typeof openTerminal;
}

/** Name of that file, which lies beside the agent. */
export const sshPartFile = "agent-ssh.cjs";
