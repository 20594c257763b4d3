import type { FlowKind, FlowMode } from "../evidence/ledger.ts";
import { Failure } from "../failure/failure.ts";

/** A flow to be opened from the client to a machine's port. */
export interface FlowSpec {
  readonly kind: FlowKind;
  readonly mode: FlowMode;
  /** Name of the machine that answers. */
  readonly server: string;
  readonly port: number;
  /** Milliseconds between two records of a speaking direction. For ssh, between two lines. */
  readonly intervalMs: number;
  /** The client's own address that a tcp flow is opened from, where it has several; the one that its route gives unless it is said. */
  readonly source?: string;
}

export interface SpecOptions<M extends FlowMode = FlowMode> {
  readonly mode?: M;
  readonly intervalMs?: number;
}

/** A typist's pace: twelve keystrokes in two seconds. */
const sshIntervalMs = 2_000;

/** A tcp flow of the agent's, by default with both sides speaking. @throws Failure when `target` is not `machine:port`. */
export function tcp(target: string, { mode = "both", intervalMs = 250 }: SpecOptions<"client" | "server" | "both" | "idle"> = {}): FlowSpec {
  return spec("tcp", mode, target, intervalMs);
}

/** A udp flow of numbered requests and answers. @throws Failure when `target` is not `machine:port`. */
export function udp(target: string, { mode = "request", intervalMs = 250 }: SpecOptions<"request"> = {}): FlowSpec {
  return spec("udp", mode, target, intervalMs);
}

/** An ssh session, typed keystroke by keystroke. @throws Failure when `target` is not `machine:port`. */
export function ssh(target: string, { mode = "request", intervalMs = sshIntervalMs }: SpecOptions<"request"> = {}): FlowSpec {
  return spec("ssh", mode, target, intervalMs);
}

/** How many flows of each kind. */
export interface FlowCounts {
  readonly tcp: number;
  readonly udp: number;
  readonly ssh: number;
}

/**
 * The default mixture of `count` flows, of kinds that the policy lets through: up to 4 ssh, up to 10 udp, the rest tcp; below 50 flows in the same
 * proportion. Without tcp the rest are ssh, without both all are udp.
 */
export function mixture(count: number, kinds: readonly FlowKind[] = ["tcp", "udp", "ssh"]): FlowCounts {
  const counts = {
    tcp: 0,
    ssh: kinds.includes("ssh") ? Math.min(4, Math.floor(count * 0.08)) : 0,
    udp: kinds.includes("udp") ? Math.min(10, Math.floor(count * 0.2)) : 0,
  };
  const most = (["tcp", "ssh", "udp"] as const).find((kind) => kinds.includes(kind)) ?? "tcp";
  counts[most] += count - counts.ssh - counts.udp;
  return counts;
}

/** How many flows of each kind: a total's mixture, or as told. @throws Failure (usage) when one is told of a kind that the policy does not let through. */
export function promisedFlows(flows: number | FlowCounts, kinds: readonly FlowKind[]): FlowCounts {
  if (typeof flows === "number") return mixture(flows, kinds);
  const unpromised = (["tcp", "udp", "ssh"] as const).filter((kind) => flows[kind] > 0 && !kinds.includes(kind));
  if (unpromised.length === 0) return flows;
  throw new Failure({
    tried: `open flows of ${unpromised.join(" and ")}`,
    seen: `the config tree promises to let only ${kinds.join(", ")} through`,
    remedy: "Ask for flows of these kinds, or let fwlab.json of the tree promise more",
    exit: 2,
  });
}

/**
 * Pause between two records that keeps `flows` flows at 200 records a second and direction in all, which four emulated machines on two cores
 * can carry: 50 flows speak every 250 ms, 1,000 every 5 s. Never below 100 ms: an outage's length comes from the senders' times, not from the pace.
 */
export function pacedIntervalMs(flows: number): number {
  return Math.max(100, flows * 5);
}

const tcpModes = ["client", "server", "both", "idle"] as const;

/** How fast flows speak, in milliseconds. */
export interface Pace {
  /** Between two records, however few the tcp and udp flows are. */
  readonly leastIntervalMs?: number;
  /** Between two lines of ssh; a typist's unless another is given. */
  readonly lineMs?: number;
}

/**
 * Flows of all kinds to one machine, the tcp ones in all four modes by turns, at the pace of `pacedIntervalMs`, or slower.
 * @throws Failure when a count is no whole number, or there are no flows.
 */
export function mixedFlows(count: number | FlowCounts, server = "omarine", { leastIntervalMs = 0, lineMs = sshIntervalMs }: Pace = {}): FlowSpec[] {
  const counts = typeof count === "number" ? mixture(count) : count;
  const total = counts.tcp + counts.udp + counts.ssh;
  if (![counts.tcp, counts.udp, counts.ssh].every((number) => Number.isSafeInteger(number) && number >= 0) || total === 0) {
    throw new Failure({
      tried: "choose the flows",
      seen: `${JSON.stringify(count)} is no number of flows`,
      remedy: "Give a whole number from 1 on",
      exit: 2,
    });
  }
  const intervalMs = Math.max(leastIntervalMs, pacedIntervalMs(counts.tcp + counts.udp));
  return [
    ...Array.from({ length: counts.tcp }, (_, index) => tcp(`${server}:7`, { mode: tcpModes[index % tcpModes.length] ?? "both", intervalMs })),
    ...Array.from({ length: counts.udp }, () => udp(`${server}:7`, { intervalMs })),
    ...Array.from({ length: counts.ssh }, () => ssh(`${server}:22`, { intervalMs: lineMs })),
  ];
}

function spec(kind: FlowKind, mode: FlowMode, target: string, intervalMs: number): FlowSpec {
  const match = /^([^:\s]+):(\d{1,5})$/u.exec(target);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port < 1 || port > 65_535 || !(intervalMs >= 1)) {
    throw new Failure({
      tried: `describe a ${kind} flow to ${target}, every ${intervalMs} ms`,
      seen: "that is no machine:port with an interval of at least 1 ms",
      remedy: "Write it like omarine:7",
      exit: 2,
    });
  }
  return { kind, mode, server: match[1], port, intervalMs };
}
