import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Probe } from "../evidence/evidence.ts";
import { addressWithPort } from "../topology/address.ts";
import type { ConnectOutcome } from "./agent/connectOnce.ts";
import { connectOnce } from "./connectOnce.ts";
import { askDenied, type DeniedOutcome, type DeniedService, type Endpoint } from "./deniedService.ts";
import { forgedSegment } from "./forgedSegment.ts";
import { socatAddress } from "./socatAddress.ts";
import { startArrivalCapture, type Arrivals } from "./arrivalCapture.ts";

/** Who is asked for what. */
export interface PolicyQuestion {
  readonly client: Endpoint;
  readonly server: Endpoint;
  /** A TCP service that the client may use. `record` is the flows' own, which must itself answer; of another the handshake is enough. */
  readonly allowed: { readonly port: number; readonly expect: "record" | "connect" };
  /** A service that runs, but that may not be used. */
  readonly denied: DeniedService;
}

export interface AskOptions {
  readonly moment: Probe["moment"];
  /** Milliseconds that a takeover may still take, for the questions during it; those of a pair with an advert every second unless another time is given. */
  readonly takeoverMs?: number;
  readonly signal: AbortSignal;
}

/** Where all is steady a denied connection is tried for this long: a SYN is sent again after a second, and an answer takes some milliseconds. */
const steadyPatienceMs = 1_800;

/** From the fault until all is over, with an advert every second: three adverts, the skew, and the rest for a slow machine. */
const usualTakeoverMs = 6_000;

/** A denied connection is tried for this long after a takeover: a SYN is sent again after 1, 3 and 7 s, so that one meets the survivor. */
const beyondTakeoverMs = 1_500;

/**
 * The allowed connection is the capture's known-good one, so it must come through once the outage is over: its next SYN after that of 7 s goes out at
 * 15 s. Flows are waited for as long.
 */
const allowedPatienceMs = { before: 15_000, during: 25_000, after: 15_000 } as const;

/** Forged segments go out at this pace, so that during a takeover some meet each of its phases. */
const forgedPauseMs = 250;
const forgedWhenSteady = 4;
const firstForgedPort = 61_000;

/** A TCP header without options, and the word that it carries. */
const forgedPayload = Buffer.from("forged");
const forgedLength = 20 + forgedPayload.length;

/** A port of the client's own, other than the denied service's: nobody need listen there, an opening segment is all that is wanted. */
const controlPortBeside = (deniedPort: number): number => (deniedPort === 9 ? 13 : 9);

/** Time for the last packets to arrive and be captured, in milliseconds. */
const arrivalMs = 500;

/**
 * Puts the policy's three questions at once: a new connection to the allowed service, one to the denied, and forged segments with ACK and data
 * to the allowed service. A capture on the server's own NIC tells what arrived; on the client's too when the denied service runs there, where a
 * connection of the client's to itself shows that it sees, whatever the pair lets through. @throws Failure when a machine does not answer.
 */
export async function askPolicy(question: PolicyQuestion, { moment, takeoverMs = usualTakeoverMs, signal }: AskOptions): Promise<Probe[]> {
  const { client, server, allowed, denied } = question;
  const sequence = randomInt(2 ** 31, 2 ** 32);
  const deniedPorts = { ports: denied.protocol === "tcp" ? [denied.port] : [], datagramPorts: denied.protocol === "udp" ? [denied.port] : [] };
  const fromClient = denied.from === "client";
  const controlPort = controlPortBeside(denied.port);
  const [asker, target] = fromClient ? [client, server] : [server, client];
  const [onServer, onClient] = await Promise.all([
    startArrivalCapture(server.shell, { address: server.address, sequence, signal, ...(fromClient ? { ...deniedPorts, ports: [allowed.port, ...deniedPorts.ports] } : { ports: [allowed.port] }) }),
    fromClient ? undefined : startArrivalCapture(client.shell, { address: client.address, sequence, signal, ...deniedPorts, ports: [...deniedPorts.ports, controlPort] }),
  ]);
  const own = socatAddress(client.address);
  const atMs = Date.now();
  const [allowedOutcome, deniedOutcome, sourcePorts] = await Promise.all([
    connectOnce(client.agent, { address: server.address, port: allowed.port, timeoutMs: allowedPatienceMs[moment], expect: allowed.expect }, signal),
    askDenied(asker, target.address, denied, moment === "during" ? takeoverMs + beyondTakeoverMs : steadyPatienceMs, signal),
    sendForged(question, sequence, moment === "during" ? Math.ceil(takeoverMs / forgedPauseMs) : forgedWhenSteady, signal),
    fromClient ? undefined : client.shell.run(`socat -u /dev/null TCP${own.family}:${own.host}:${controlPort}`, { signal }),
  ]);
  const forgedMs = Date.now() - atMs;
  await delay(arrivalMs, undefined, { signal });
  const [arrived, arrivedAtClient] = await Promise.all([onServer.stop(signal), onClient?.stop(signal)]);
  const control = arrived.openings(allowed.port);
  return [
    allowedProbe(question, { moment, atMs, outcome: allowedOutcome, packetsThrough: control }),
    deniedProbe(question, { moment, atMs, outcome: deniedOutcome, arrived: arrivedAtClient ?? arrived, capturedControl: arrivedAtClient?.openings(controlPort) ?? control }),
    {
      id: "forged-ack",
      moment,
      atMs,
      target: addressWithPort(server.address, allowed.port),
      outcome: "sent",
      tookMs: forgedMs,
      sourcePorts,
      packetsSent: sourcePorts.length,
      packetsThrough: arrived.forged,
      capturedControl: control,
    },
  ];
}

interface Seen extends Pick<Probe, "moment" | "atMs"> {
  readonly outcome: ConnectOutcome;
  readonly packetsThrough: number;
}

function allowedProbe({ server, allowed }: PolicyQuestion, { moment, atMs, outcome, packetsThrough }: Seen): Probe {
  return {
    id: "allowed-service",
    moment,
    atMs,
    target: addressWithPort(server.address, allowed.port),
    outcome: outcome.outcome,
    tookMs: outcome.tookMs,
    sourcePorts: [outcome.localPort],
    packetsSent: 1,
    packetsThrough,
    capturedControl: packetsThrough,
  };
}

interface SeenOfDenied extends Pick<Probe, "moment" | "atMs" | "capturedControl"> {
  readonly outcome: DeniedOutcome;
  readonly arrived: Arrivals;
}

function deniedProbe({ client, server, denied: { from, protocol, port } }: PolicyQuestion, { moment, atMs, outcome, arrived, capturedControl }: SeenOfDenied): Probe {
  return {
    id: "denied-service",
    moment,
    atMs,
    from,
    protocol,
    target: addressWithPort(from === "client" ? server.address : client.address, port),
    outcome: outcome.outcome,
    tookMs: outcome.tookMs,
    sourcePorts: [outcome.sourcePort],
    packetsSent: outcome.packetsSent,
    packetsThrough: protocol === "tcp" ? arrived.openings(port) : arrived.datagrams(port),
    capturedControl,
  };
}

/** Sends forged segments from the client, each from a port of its own. @returns their source ports. */
async function sendForged({ client, server, allowed }: PolicyQuestion, sequence: number, count: number, signal: AbortSignal): Promise<number[]> {
  const ports = Array.from({ length: count }, (_, index) => firstForgedPort + randomInt(100) * 32 + index);
  const segments = ports.map((sourcePort) =>
    printable(forgedSegment({
      source: client.address,
      destination: server.address,
      sourcePort,
      destinationPort: allowed.port,
      sequence,
      acknowledgement: sequence,
      payload: forgedPayload,
    })),
  );
  // One socat for all: under emulation a process costs more than the pause between two segments. It sends what it reads at once, a segment of this length.
  const { family, host } = socatAddress(server.address);
  const script =
    `set -e; while read -r segment; do printf "$segment"; sleep ${forgedPauseMs / 1000}; done | socat -u -b ${forgedLength} - IP${family}-SENDTO:${host}:6`;
  await client.shell.must(script, { signal, input: `${segments.join("\n")}\n` });
  return ports;
}

/** Bytes as printf(1) of any POSIX shell writes them. */
function printable(bytes: Buffer): string {
  if (bytes.length !== forgedLength) throw new RangeError(`a forged segment has ${bytes.length} bytes instead of ${forgedLength}`);
  return [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}
