import type { FlowsRecord } from "../traffic/agentFlows.ts";
import type { LabSnapshot } from "./labSnapshot.ts";

/** A lab saved with live flows: they are in the machines' memory; what the host knows of them is beside it. */
export interface LiveSnapshot {
  readonly lab: LabSnapshot;
  readonly flows: FlowsRecord;
}
