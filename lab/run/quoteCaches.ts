import type { Transition } from "../evidence/evidence.ts";
import type { LabRun } from "./labRun.ts";

/** Keeps, for people, what both firewalls' conntrackd told of the SSH sessions before a transition; nothing when there are none. @throws Failure as LabRun.quote. */
export async function quoteCaches(run: LabRun, { before, from, to }: Pick<Transition, "before" | "from" | "to">): Promise<void> {
  const holding = run.flows.flows
    .filter(({ spec }) => spec.kind === "ssh")
    .map(({ tuple: { source, destination } }) => `src=${source.address} dst=${destination.address} sport=${source.port} dport=${destination.port}`);
  const sources = { from: before.firewalls[from]?.internalCache.source, to: before.firewalls[to]?.externalCache.source };
  if (holding.length === 0 || sources.from === undefined || sources.to === undefined) return;
  await run.quote("conntrackd-before", `The SSH sessions before the fault: ${from}, which had the duty, and ${to}, its backup.`, [
    { machine: from, command: "conntrackd -i", source: sources.from, holding },
    { machine: to, command: "conntrackd -e", source: sources.to, holding },
  ]);
}
