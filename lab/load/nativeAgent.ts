import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { insideNative, type RunningNative } from "../host/nativeHosts.ts";
import { managementAddressOf } from "../topology/topology.ts";
import type { AgentProgram } from "../traffic/bundleAgent.ts";
import { AgentClient } from "../traffic/agentClient.ts";
import { agentPort } from "../traffic/protocol.ts";

export interface NativeAgentOptions {
  readonly program: AgentProgram;
  /** Folder for its program. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** An agent that runs in a native host, and the host's hand on it. */
export interface NativeAgent extends AsyncDisposable {
  readonly client: AgentClient;
}

const startsWithinMs = 20_000;

/**
 * Starts the flows' agent in a native host, on its management address, by this process's own node. It ends with its caller, and when it is disposed of.
 * @throws Failure when it does not answer; the signal's reason.
 */
export async function startNativeAgent(native: RunningNative, { program, folder, signal }: NativeAgentOptions): Promise<NativeAgent> {
  const { host } = native;
  const own = join(folder, `agent.${host.name}`);
  await mkdir(own, { recursive: true });
  await Promise.all(program.map(({ name, content }) => writeFile(join(own, name), content)));
  const address = managementAddressOf(host);
  const [command, ...args] = insideNative(native, ["setpriv", "--pdeathsig", "KILL", process.execPath, join(own, program[0].name), "--listen", `${address}:${agentPort}`]);
  const agent = execa(command, args, { stdin: "ignore", reject: false, detached: true, cleanup: false });
  const end = async (): Promise<void> => {
    agent.kill("SIGKILL");
    await agent;
  };
  try {
    const client = await AgentClient.connect({ name: host.name, address, port: agentPort }, { signal, within: startsWithinMs });
    return {
      client,
      async [Symbol.asyncDispose]() {
        await client[Symbol.asyncDispose]();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}
