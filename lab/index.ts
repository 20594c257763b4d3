/**
 * What another repository needs to write suites of its own: topologies, flows, faults, stories, checks. `fwlab/suites` has what vitest needs besides. Everything else of fwlab may change without a word.
 */
export { machinesOf, mac } from "./topology/machines.ts";
export { managementBridge, managementNic, type MachineSpec, type Nic, type PairTopology, type Topology, type VirtualAddress } from "./topology/topology.ts";
export { mixedFlows, ssh, tcp, udp, type FlowCounts, type FlowSpec } from "./traffic/flowSpec.ts";
export { powerCut } from "./faults/powerCut.ts";
export { failover, type FailoverOptions, type FailoverOutcome } from "./run/failover.ts";
export { failback, type FailbackOptions } from "./run/failback.ts";
export { conduct, type ConductOptions } from "./run/conduct.ts";
export type { FinishedRun, Story } from "./run/judgedRun.ts";
export type { LabRun } from "./run/labRun.ts";
export type { Machine } from "./machine/machine.ts";
export type { CommandOptions, CommandResult, MachineShell } from "./machine/shell.ts";
export { quoted } from "./machine/quoted.ts";
export { concluded, type Found } from "./judge/concluded.ts";
export { judge, type CheckId, type Judgement } from "./judge/judge.ts";
export type { Evidence, FaultRecord, Transition } from "./evidence/evidence.ts";
export type { CheckResult, FlowResult, Outage, Run, Verdict } from "./evidence/run.ts";
export { exitCode, Failure } from "./failure/failure.ts";
