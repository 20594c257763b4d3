import { labFolder } from "../host/labFolder.ts";
import { startNativeAgent } from "../load/nativeAgent.ts";
import { sandwichFlows } from "../load/sandwichLoad.ts";
import type { Lab } from "../run/lab.ts";
import type { Prepared } from "../run/prepare.ts";
import type { Progress } from "../progress/progress.ts";
import { serverOf, type SandwichTopology } from "../topology/sandwich.ts";
import { hostPart, isPair, machineSpec, managementAddressOf, nicOf, type PairTopology } from "../topology/topology.ts";
import { AgentClient } from "../traffic/agentClient.ts";
import type { FlowsRecord } from "../traffic/agentFlows.ts";
import { mixedFlows, type FlowCounts } from "../traffic/flowSpec.ts";
import { openFlows, OpenFlows } from "../traffic/openFlows.ts";
import { agentPort } from "../traffic/protocol.ts";

export interface StandingFlowsOptions {
  readonly topology: PairTopology | SandwichTopology;
  /** Of a pair, how many of each kind; of a sandwich, whose flows are all TCP, the sum of them. */
  readonly counts: FlowCounts;
  readonly prepared: Prepared;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What is sent through a standing lab: flows, and the agents that hold them. */
export interface StandingFlows extends AsyncDisposable {
  readonly flows: OpenFlows;
  /** Of a pair: nobody speaks until `speak`, and what the host knows of the flows. A sandwich's flows end in native hosts, which cannot be saved. */
  readonly hold: (() => Promise<FlowsRecord>) | undefined;
}

/** A machine that is saved waits with everybody silent for this long at most, in milliseconds. */
const settledWithinMs = 15_000;

/** Opens flows through a lab that is up. @throws Failure when they do not open. */
export async function openStandingFlows(lab: Lab, options: StandingFlowsOptions): Promise<StandingFlows> {
  const { topology } = options;
  return isPair(topology) ? pairFlows({ ...options, topology }, undefined) : sandwichesFlows(lab, { ...options, topology });
}

/** Takes up flows that were saved with a pair's lab, and lets them speak on. @throws Failure when an agent does not answer. */
export function takeUpStandingFlows(options: StandingFlowsOptions & { readonly topology: PairTopology }, record: FlowsRecord): Promise<StandingFlows> {
  return pairFlows(options, record);
}

async function pairFlows({ topology, counts, prepared, progress, signal }: StandingFlowsOptions & { readonly topology: PairTopology }, record: FlowsRecord | undefined): Promise<StandingFlows> {
  const connect = (name: string) => AgentClient.connect({ name, address: managementAddressOf(machineSpec(topology, name)), port: agentPort }, { signal });
  const agents: AgentClient[] = [];
  const dispose = async (): Promise<void> => {
    for (const agent of agents) await agent[Symbol.asyncDispose]();
  };
  try {
    for (const name of [topology.client, topology.server]) agents.push(await connect(name));
    const [client, server] = agents;
    if (client === undefined || server === undefined) throw new RangeError("a pair has two endpoints");
    const open = () =>
      openFlows({
        ...{ client, server, progress, signal },
        specs: mixedFlows(counts, topology.server),
        serverAddress: hostPart(nicOf(machineSpec(topology, topology.server), "eth0").address),
        sshIdentity: { username: "root", privateKey: prepared.keys.clientPrivateKey, hostKey: prepared.keys.hostKeys[topology.server]?.publicKeyLine ?? "" },
      });
    const flows = record === undefined ? await open() : OpenFlows.takeUp(record, { client, server, progress });
    if (record !== undefined) await flows.speak(signal);
    const hold = async (): Promise<FlowsRecord> => {
      await flows.hold({ within: settledWithinMs, signal });
      const held = flows.record();
      client.reconnect();
      server.reconnect();
      return held;
    };
    return { flows, hold, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function sandwichesFlows(lab: Lab, { topology, counts, prepared, progress, signal }: StandingFlowsOptions & { readonly topology: SandwichTopology }): Promise<StandingFlows> {
  const agents: AsyncDisposable[] = [];
  const dispose = async (): Promise<void> => {
    for (const agent of agents.toReversed()) await agent[Symbol.asyncDispose]();
  };
  const agentOn = async (name: string): Promise<AgentClient> => {
    const agent = await startNativeAgent(lab.native(name), { program: prepared.agent, folder: labFolder(), signal });
    agents.push(agent);
    return agent.client;
  };
  try {
    const { name, address } = serverOf(topology);
    const client = await agentOn(topology.clients.name);
    const server = await agentOn(name);
    return { flows: await openFlows({ client, server, serverAddress: address, specs: sandwichFlows(topology, counts.tcp + counts.udp + counts.ssh), progress, signal }), hold: undefined, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
