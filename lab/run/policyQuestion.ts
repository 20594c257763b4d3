import type { Promises } from "../config/promises.ts";
import { hostPart, machineSpec, nicOf, type PairTopology } from "../topology/topology.ts";
import type { AgentClient } from "../traffic/agentClient.ts";
import { startService, type Endpoint } from "../traffic/deniedService.ts";
import type { FlowSpec } from "../traffic/flowSpec.ts";
import type { PolicyQuestion } from "../traffic/policyProbes.ts";
import type { Lab } from "./lab.ts";

/** TCP ports of the flows' own service, and of sshd. */
const flowPort = 7;
const sshPort = 22;

/** What can be asked of a lab's policy, between its two endpoints. */
export interface PolicyAsked extends Omit<PolicyQuestion, "allowed"> {
  readonly promised: Promises["flows"];
}

/** What a lab's policy is asked, as its tree promises. */
export function policyAsked(lab: Lab, topology: PairTopology, agents: { readonly client: AgentClient; readonly server: AgentClient }, promises: Promises): PolicyAsked {
  const endpoint = (name: string, agent: AgentClient): Endpoint => ({ agent, shell: lab.machine(name).shell, address: hostPart(nicOf(machineSpec(topology, name), "eth0").address) });
  return { client: endpoint(topology.client, agents.client), server: endpoint(topology.server, agents.server), denied: promises.denied, promised: promises.flows };
}

/** Makes the denied service run, where it is to be refused. @throws Failure when it does not. */
export function startDenied({ client, server, denied }: PolicyAsked, signal: AbortSignal): Promise<void> {
  return startService(denied.from === "client" ? server : client, denied, signal);
}

/**
 * The TCP service that the client may use: the flows' own when there are TCP flows, in whose place a plain one was started otherwise; sshd where the
 * policy lets no other TCP through.
 */
export function allowedService({ promised }: PolicyAsked, flows: readonly Pick<FlowSpec, "kind">[]): PolicyQuestion["allowed"] {
  if (!promised.includes("tcp")) return { port: sshPort, expect: "connect" };
  return { port: flowPort, expect: flows.some(({ kind }) => kind === "tcp") ? "record" : "connect" };
}

/** Starts a plain service in the place of the TCP flows' own when there are no such flows. @throws Failure when it does not listen. */
export async function startAllowed(asked: PolicyAsked, flows: readonly Pick<FlowSpec, "kind">[], signal: AbortSignal): Promise<void> {
  const { port, expect } = allowedService(asked, flows);
  if (port === flowPort && expect === "connect") await startService(asked.server, { protocol: "tcp", port }, signal);
}
