import { hostPart, machineSpec, nicOf } from "../topology/topology.ts";
import type { AgentClient } from "../traffic/agentClient.ts";
import type { PolicyQuestion } from "../traffic/policyProbes.ts";
import type { Lab } from "./lab.ts";

/** The client's agent, and the ports that are asked for. */
export interface PolicyAsked extends Pick<PolicyQuestion, "allowedPort" | "deniedPort"> {
  readonly client: AgentClient;
}

/** What a lab's policy is asked, between its two endpoints. */
export function policyQuestion(lab: Lab, { client, allowedPort, deniedPort }: PolicyAsked): PolicyQuestion {
  const { topology } = lab;
  const dataAddress = (name: string) => hostPart(nicOf(machineSpec(topology, name), "eth0").address);
  return {
    client: { agent: client, shell: lab.machine(topology.client).shell, address: dataAddress(topology.client) },
    server: { shell: lab.machine(topology.server).shell, address: dataAddress(topology.server) },
    allowedPort,
    deniedPort,
  };
}
