import { spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentClient } from "./agentClient.ts";
import { bundleAgent } from "./bundleAgent.ts";
import { agentPort } from "./protocol.ts";

/** Service port of the tests: above 1023, so that they need no root. */
export const servicePort = 7_007;

/** An address of the loopback's /8 that no other test uses at the same time. */
export function loopbackAddress(): string {
  return `127.${randomInt(1, 255)}.${randomInt(0, 255)}.${randomInt(1, 255)}`;
}

/** A real agent in a process of its own, as a guest would run it. */
export interface RunningAgent extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly address: string;
}

export async function startAgent(folder: string, address: string): Promise<RunningAgent> {
  const child = spawn(process.execPath, [join(folder, "agent.cjs"), "--listen", `${address}:${agentPort}`], { stdio: ["ignore", "pipe", "inherit"] });
  const early = once(child, "exit").then(() => Promise.reject(new Error("the agent ended before it listened")));
  await Promise.race([once(child.stdout, "data"), early]);
  early.catch(() => undefined);
  return {
    process: child,
    address,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** Two agents and the host's hands on them. */
export interface Rig extends AsyncDisposable {
  readonly client: AgentClient;
  readonly server: AgentClient;
  readonly serverAddress: string;
  readonly agents: { readonly client: RunningAgent; readonly server: RunningAgent };
}

export async function startRig(signal: AbortSignal): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), "fwlab-agent-"));
  for (const { name, content } of await bundleAgent()) await writeFile(join(folder, name), content);
  const [clientAgent, serverAgent] = await Promise.all([startAgent(folder, loopbackAddress()), startAgent(folder, loopbackAddress())]);
  const client = await AgentClient.connect({ name: "client", address: clientAgent.address, port: agentPort }, { signal });
  const server = await AgentClient.connect({ name: "omarine", address: serverAgent.address, port: agentPort }, { signal });
  return {
    client,
    server,
    serverAddress: serverAgent.address,
    agents: { client: clientAgent, server: serverAgent },
    async [Symbol.asyncDispose]() {
      for (const part of [client, server, clientAgent, serverAgent]) await part[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
