import type { FlowLedger, RecordColumns } from "../evidence/ledger.ts";
import type { Step } from "../progress/progress.ts";
import type { AgentClient } from "./agentClient.ts";
import { float64sOf, int32sOf, uint32sOf } from "./packed.ts";
import type { PlacedFlow } from "./placedFlow.ts";
import type { Result } from "./protocol.ts";

export interface CollectOptions {
  readonly session: number;
  readonly client: AgentClient;
  readonly server: AgentClient;
  readonly flows: readonly PlacedFlow[];
  readonly clientProgress: Result<"progress">;
  readonly serverProgress: Result<"progress">;
  readonly step: Step;
  readonly signal: AbortSignal;
}

/** An answer holds about so many records at most: some 350 kB, which an emulated guest makes in well under a second. */
const recordsPerAnswer = 20_000;

type AgentLedger = Result<"ledger">["flows"][number];

/** Fetches every flow's ledger from both agents, a few flows at a time, and joins the two sides. @throws Failure when an agent does not answer. */
export async function collectLedgers(options: CollectOptions): Promise<FlowLedger[]> {
  const { session, client, server, flows, step, signal } = options;
  const ledgers: FlowLedger[] = [];
  for (const [from, to] of chunks(options)) {
    const atClient = await client.request("ledger", { session, from, to }, { signal, timeoutMs: 120_000 });
    const atServer = await server.request("ledger", { session, from, to }, { signal, timeoutMs: 120_000 });
    flows.slice(from, to).forEach((flow, index) => {
      const [clientSide, serverSide] = [atClient.flows[index], atServer.flows[index]];
      if (clientSide?.flow !== from + index || serverSide?.flow !== from + index) throw new RangeError(`an agent left out the ledger of ${flow.id}`);
      ledgers.push(joined(flow, client.name, server.name, clientSide, serverSide));
    });
    step.update(`${ledgers.length} of ${flows.length} ledgers`);
  }
  return ledgers;
}

function chunks({ flows, clientProgress, serverProgress }: CollectOptions): [number, number][] {
  const counts = [clientProgress.sent, clientProgress.received, serverProgress.sent, serverProgress.received].map(int32sOf);
  const ranges: [number, number][] = [];
  let from = 0;
  let records = 0;
  flows.forEach((_, flow) => {
    const ofFlow = counts.reduce((sum, column) => sum + (column[flow] ?? 0), 0);
    if (flow > from && records + ofFlow > recordsPerAnswer) {
      ranges.push([from, flow]);
      from = flow;
      records = 0;
    }
    records += ofFlow;
  });
  if (from < flows.length) ranges.push([from, flows.length]);
  return ranges;
}

function joined({ id, spec, tuple, natTuple }: PlacedFlow, clientClock: string, serverClock: string, client: AgentLedger, server: AgentLedger): FlowLedger {
  return {
    id,
    kind: spec.kind,
    mode: spec.mode,
    intervalMs: spec.intervalMs,
    tuple,
    natTuple,
    ...(spec.kind === "ssh" ? told(clientClock, client) : seen(clientClock, serverClock, client, server)),
    errors: [
      ...client.errors.map((error) => ({ clock: clientClock, ...error })),
      ...server.errors.map((error) => ({ clock: serverClock, ...error })),
    ],
  };
}

type BothSides = Pick<FlowLedger, "serverSawSources" | "accepted" | "forward" | "reverse">;

/** What each agent saw for itself. */
function seen(clientClock: string, serverClock: string, client: AgentLedger, server: AgentLedger): BothSides {
  return {
    serverSawSources: server.sources,
    accepted: server.accepted,
    forward: { sent: columnsOf(clientClock, client.sent), received: columnsOf(serverClock, server.received), corrupt: server.corrupt },
    reverse: { sent: columnsOf(serverClock, server.sent), received: columnsOf(clientClock, client.received), corrupt: client.corrupt },
  };
}

/**
 * What the far side of an ssh session told the client's agent. It has no clock of ours: a line was received when the right answer to it is here,
 * and the answer's sending bears the time of the return key, as no answer is older.
 */
function told(clock: string, client: AgentLedger): BothSides {
  const [sent, answered] = [columnsOf(clock, client.sent), columnsOf(clock, client.received)];
  const answersSent = { clock, seq: [...answered.seq], atMs: answered.seq.map((seq) => sent.atMs[seq] ?? 0) };
  return {
    serverSawSources: client.sources,
    accepted: client.accepted,
    forward: { sent, received: answered, corrupt: client.misheard },
    reverse: { sent: answersSent, received: columnsOf(clock, client.received), corrupt: client.corrupt },
  };
}

function columnsOf(clock: string, { seq, atMs }: { readonly seq: string; readonly atMs: string }): RecordColumns {
  return { clock, seq: [...uint32sOf(seq)], atMs: [...float64sOf(atMs)] };
}
