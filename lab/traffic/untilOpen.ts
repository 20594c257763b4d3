import { setTimeout as sleep } from "node:timers/promises";
import type { Endpoint } from "../evidence/ledger.ts";
import { exitCode, type Failure } from "../failure/failure.ts";
import { FlowsNotOpen } from "./flowsNotOpen.ts";
import type { Step } from "../progress/progress.ts";
import { addressWithPort } from "../topology/address.ts";
import type { AgentClient } from "./agentClient.ts";
import { int32sOf } from "./packed.ts";
import type { NamedSpec, PlacedFlow } from "./placedFlow.ts";
import type { Result } from "./protocol.ts";

export interface OpeningOptions {
  readonly session: number;
  readonly client: AgentClient;
  readonly server: AgentClient;
  /** Address at which flows reach the server. */
  readonly serverAddress: string;
  readonly flows: readonly NamedSpec[];
  /** Milliseconds for all flows to open. */
  readonly within: number;
  readonly step: Step;
  readonly signal: AbortSignal;
}

const pollMs = 300;

/** Reasons and flows that are not open are told up to so many lines. */
const linesTold = 20;

/** Waits until both sides have every flow, and says where each runs. @throws FlowsNotOpen when one ends at once, or not all are open within the bound. */
export async function untilOpen(options: OpeningOptions): Promise<PlacedFlow[]> {
  const { session, client, server, flows, within, step, signal } = options;
  const deadlineMs = performance.now() + within;
  for (;;) {
    const [atClient, atServer] = await Promise.all([client.request("progress", { session }, { signal }), server.request("progress", { session }, { signal })]);
    const states = int32sOf(atClient.state);
    const [received, acceptedThere, acceptedHere] = [int32sOf(atClient.received), int32sOf(atServer.accepted), int32sOf(atClient.accepted)];
    const closed = flows.filter(({ spec }, flow) => {
      const accepted = (spec.kind === "ssh" ? acceptedHere : acceptedThere)[flow] ?? 0;
      return states[flow] !== 1 || accepted === 0 || (spec.kind === "udp" && (received[flow] ?? 0) === 0);
    });
    if (closed.length === 0) return placed(options);
    const ended = flows.find((_, flow) => states[flow] === 2);
    if (ended !== undefined || performance.now() >= deadlineMs) throw await notOpen(options, ended, closed);
    step.update(`${flows.length - closed.length} of ${flows.length} flows open, ${closed[0]?.id ?? ""} not yet`);
    await sleep(pollMs, undefined, { signal });
  }
}

async function placed({ session, client, server, serverAddress, flows, signal }: OpeningOptions): Promise<PlacedFlow[]> {
  const atClient = (await client.request("places", { session }, { signal })).flows;
  const atServer = (await server.request("places", { session }, { signal })).flows;
  return flows.map(({ id, spec }, flow) => {
    const destination: Endpoint = { address: serverAddress, port: spec.port };
    const source = atClient[flow]?.local;
    const natSource = (spec.kind === "ssh" ? atClient : atServer)[flow]?.sources[0];
    const serverEnd = spec.kind === "ssh" ? atClient[flow]?.peer : atServer[flow]?.local;
    if (source === null || source === undefined || natSource === undefined) throw new RangeError(`${id} is open, but an agent does not say where`);
    return { id, spec, tuple: { source, destination }, natTuple: { source: natSource, destination: serverEnd ?? destination } };
  });
}

type Place = Result<"places">["flows"][number];

async function notOpen({ session, client, server, flows, within, signal }: OpeningOptions, ended: NamedSpec | undefined, closed: readonly NamedSpec[]): Promise<Failure> {
  const places = (await client.request("places", { session }, { signal })).flows;
  const errors = places.flatMap((place, flow) => place.errors.map(({ code, message }) => ({ flow: flows[flow], code, message })));
  const why = errors.find(({ flow }) => flow === ended);
  const waiting = closed.flatMap((flow) => {
    const place = places[flows.indexOf(flow)];
    return place === undefined || place.errors.length > 0 ? [] : [`${flow.id}: ${stageOf(place)}`];
  });
  return new FlowsNotOpen({
    tried: `open ${flows.length} flows from ${client.name} to ${server.name}`,
    seen:
      ended === undefined
        ? `${closed.length} not open after ${within} ms, ${closed[0]?.id ?? ""} among them`
        : `${ended.id} ended at once${why === undefined ? "" : `: ${why.code} ${why.message}`}`,
    remedy: remedyFor(ended ?? closed[0], why?.code, server.name),
    exit: exitCode.invalid,
    details: [...errors.map(({ flow, code, message }) => `${flow?.id ?? ""}: ${code} ${message}`), ...waiting].slice(0, linesTold),
  });
}

function stageOf({ local }: Place): string {
  return local === null ? "no connection" : `a socket of its own, ${addressWithPort(local.address, local.port)}, but no sign of the other side's program`;
}

function remedyFor(flow: NamedSpec | undefined, code: string | undefined, server: string): string {
  if (code === "EHOSTKEY") return "Something else answers at that address, or the image is not this cache's";
  if (flow?.spec.kind === "ssh") return `Look at sshd on ${server}, and at the firewalls' rules and drop counters`;
  return "Look at the firewalls' rules and drop counters, and whether the machines are overloaded";
}
