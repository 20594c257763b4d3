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
  readonly signal: AbortSignal;
}

/** A SYN is sent again after 1, 3 and 7 s: during an outage of three adverts, and when it is over, a denied one must have been tried. */
const patienceMs = { before: 2_500, during: 7_500, after: 2_500 } as const;
/**
 * The allowed connection is the capture's known-good one, so it must come through once the outage is over: its next SYN after that of 7 s goes out at
 * 15 s. Flows are waited for as long.
 */
const allowedPatienceMs = { before: 15_000, during: 25_000, after: 15_000 } as const;

/** Forged segments go out at this pace, so that during a takeover some meet each of its phases. */
const forgedPauseMs = 250;
const forgedCount = { before: 4, during: 24, after: 4 } as const;
const firstForgedPort = 61_000;

/** Time for the last packets to arrive and be captured, in milliseconds. */
const arrivalMs = 500;

/**
 * Puts the policy's three questions at once: a new connection to the allowed service, one to the denied, and forged segments with ACK and data
 * to the allowed service. A capture on the server's own NIC tells what arrived; on the client's too when the denied service runs there, where the
 * allowed service's answer shows that it sees. @throws Failure when a machine does not answer.
 */
export async function askPolicy(question: PolicyQuestion, { moment, signal }: AskOptions): Promise<Probe[]> {
  const { client, server, allowed, denied } = question;
  const sequence = randomInt(2 ** 31, 2 ** 32);
  const deniedPorts = { ports: denied.protocol === "tcp" ? [denied.port] : [], datagramPorts: denied.protocol === "udp" ? [denied.port] : [] };
  const fromClient = denied.from === "client";
  const [asker, target] = fromClient ? [client, server] : [server, client];
  const [onServer, onClient] = await Promise.all([
    startArrivalCapture(server.shell, { address: server.address, sequence, signal, ...(fromClient ? { ...deniedPorts, ports: [allowed.port, ...deniedPorts.ports] } : { ports: [allowed.port] }) }),
    fromClient ? undefined : startArrivalCapture(client.shell, { address: client.address, sequence, signal, ...deniedPorts, answersFrom: allowed.port }),
  ]);
  const atMs = Date.now();
  const [allowedOutcome, deniedOutcome, sourcePorts] = await Promise.all([
    connectOnce(client.agent, { address: server.address, port: allowed.port, timeoutMs: allowedPatienceMs[moment], expect: allowed.expect }, signal),
    askDenied(asker, target.address, denied, patienceMs[moment], signal),
    sendForged(question, sequence, forgedCount[moment], signal),
  ]);
  const forgedMs = Date.now() - atMs;
  await delay(arrivalMs, undefined, { signal });
  const [arrived, arrivedAtClient] = await Promise.all([onServer.stop(signal), onClient?.stop(signal)]);
  const control = arrived.openings(allowed.port);
  return [
    allowedProbe(question, { moment, atMs, outcome: allowedOutcome, packetsThrough: control }),
    deniedProbe(question, { moment, atMs, outcome: deniedOutcome, arrived: arrivedAtClient ?? arrived, capturedControl: arrivedAtClient?.answers(allowed.port) ?? control }),
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
    forgedSegment({
      source: client.address,
      destination: server.address,
      sourcePort,
      destinationPort: allowed.port,
      sequence,
      acknowledgement: sequence,
      payload: Buffer.from("forged"),
    }).toString("base64"),
  );
  // One shell for all: under emulation a command costs more than the pause between two segments.
  const { family, host } = socatAddress(server.address);
  const script = `while read -r segment; do echo "$segment" | base64 -d | socat -u - IP${family}-SENDTO:${host}:6 || exit 1; sleep ${forgedPauseMs / 1000}; done`;
  await client.shell.must(script, { signal, input: `${segments.join("\n")}\n` });
  return ports;
}
