import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Probe } from "../evidence/evidence.ts";
import type { MachineShell } from "../machine/shell.ts";
import type { AgentClient } from "./agentClient.ts";
import type { ConnectOutcome } from "./agent/connectOnce.ts";
import { connectOnce } from "./connectOnce.ts";
import { forgedSegment } from "./forgedSegment.ts";
import { startArrivalCapture } from "./arrivalCapture.ts";

/** Who asks the policy, and what of. */
export interface PolicyQuestion {
  readonly client: { readonly agent: AgentClient; readonly shell: MachineShell; readonly address: string };
  readonly server: { readonly shell: MachineShell; readonly address: string };
  /** Port of the flows' service, which the client may use; port of a service that runs but that the client may not use. */
  readonly allowedPort: number;
  readonly deniedPort: number;
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
 * Makes a service that the policy denies really run, so that silence is the policy's doing and not the service's absence.
 * @throws Failure when it does not listen.
 */
export async function startDeniedService({ server, deniedPort }: PolicyQuestion, signal: AbortSignal): Promise<void> {
  await server.shell.must(
    `setsid socat TCP-LISTEN:${deniedPort},bind=${server.address},fork,reuseaddr SYSTEM:'echo open' </dev/null >/dev/null 2>&1 & ` +
      `for try in $(seq 100); do ss -Hltn 'sport = :${deniedPort}' | grep -q . && exit 0; sleep 0.1; done; echo "nothing listens on ${deniedPort}" >&2; exit 1`,
    { signal },
  );
}

/**
 * Puts the policy's three questions at once: a new connection to the allowed service, one to the denied, and forged segments with ACK and data
 * to the allowed service. A capture on the server's own NIC tells what arrived. @throws Failure when a machine does not answer.
 */
export async function askPolicy(question: PolicyQuestion, { moment, signal }: AskOptions): Promise<Probe[]> {
  const { client, server, allowedPort, deniedPort } = question;
  const sequence = randomInt(2 ** 31, 2 ** 32);
  const capture = await startArrivalCapture(server.shell, { address: server.address, ports: [allowedPort, deniedPort], sequence, signal });
  const atMs = Date.now();
  const order = (port: number, timeoutMs: number, expect: "record" | "connect") =>
    connectOnce(client.agent, { address: server.address, port, timeoutMs, expect }, signal);
  const [allowed, denied, sourcePorts] = await Promise.all([
    order(allowedPort, allowedPatienceMs[moment], "record"),
    order(deniedPort, patienceMs[moment], "connect"),
    sendForged(question, sequence, forgedCount[moment], signal),
  ]);
  const forgedMs = Date.now() - atMs;
  await delay(arrivalMs, undefined, { signal });
  const arrived = await capture.stop(signal);

  const connection = (id: Probe["id"], port: number, outcome: ConnectOutcome, packetsThrough: number): Probe => ({
    id,
    moment,
    atMs,
    target: `${server.address}:${port}`,
    outcome: outcome.outcome,
    tookMs: outcome.tookMs,
    sourcePorts: [outcome.localPort],
    packetsSent: 1,
    packetsThrough,
    capturedControl: arrived.openings(allowedPort),
  });
  return [
    connection("allowed-service", allowedPort, allowed, arrived.openings(allowedPort)),
    connection("denied-service", deniedPort, denied, arrived.openings(deniedPort)),
    {
      id: "forged-ack",
      moment,
      atMs,
      target: `${server.address}:${allowedPort}`,
      outcome: "sent",
      tookMs: forgedMs,
      sourcePorts,
      packetsSent: sourcePorts.length,
      packetsThrough: arrived.forged,
      capturedControl: arrived.openings(allowedPort),
    },
  ];
}

/** Sends forged segments from the client, each from a port of its own. @returns their source ports. */
async function sendForged({ client, server, allowedPort }: PolicyQuestion, sequence: number, count: number, signal: AbortSignal): Promise<number[]> {
  const ports = Array.from({ length: count }, (_, index) => firstForgedPort + randomInt(100) * 32 + index);
  const segments = ports.map((sourcePort) =>
    forgedSegment({
      source: client.address,
      destination: server.address,
      sourcePort,
      destinationPort: allowedPort,
      sequence,
      acknowledgement: sequence,
      payload: Buffer.from("forged"),
    }).toString("base64"),
  );
  // One shell for all: under emulation a command costs more than the pause between two segments.
  const script = `while read -r segment; do echo "$segment" | base64 -d | socat -u - IP4-SENDTO:${server.address}:6 || exit 1; sleep ${forgedPauseMs / 1000}; done`;
  await client.shell.must(script, { signal, input: `${segments.join("\n")}\n` });
  return ports;
}
