import { randomInt } from "node:crypto";
import type { MachineShell } from "../machine/shell.ts";
import type { AgentClient } from "./agentClient.ts";
import { connectOnce } from "./connectOnce.ts";
import { socatAddress } from "./socatAddress.ts";

/** A service that really runs, and that the policy must refuse: on the server when the client asks, on the client when the server does. */
export interface DeniedService {
  readonly from: "client" | "server";
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

/** One side of the firewalls. */
export interface Endpoint {
  readonly agent: AgentClient;
  readonly shell: MachineShell;
  /** The address on which the other side is to reach it. */
  readonly address: string;
}

/** What came of a denied service's being asked. */
export interface DeniedOutcome {
  /** `answered`, `refused`, `timeout`, or an error code. */
  readonly outcome: string;
  readonly tookMs: number;
  readonly sourcePort: number;
  /** Zero when the asker has no route to the service: nobody refused anything then. */
  readonly packetsSent: number;
}

/** A port for asking with datagrams: above the kernel's own choice (32768 – 60999) and above the forged segments'. */
const firstDatagramPort = 64_300;
/** How long one datagram's answer is waited for, in seconds, before the next is sent from the same port. */
const answerSeconds = 0.5;
/** What a datagram takes with that, in milliseconds: a new process under emulation. */
const datagramMs = 750;
/** A slow host's margin, in milliseconds, until the shell counts as hung. */
const shellMarginMs = 30_000;

/**
 * Makes a service run on an endpoint, so that silence is the policy's doing and not the service's absence: by TCP it says `open`, by UDP it echoes.
 * @throws Failure when it does not listen, or the UDP echo does not answer the endpoint itself.
 */
export async function startService({ shell, address }: Pick<Endpoint, "shell" | "address">, { protocol, port }: Omit<DeniedService, "from">, signal: AbortSignal): Promise<void> {
  const { family, host } = socatAddress(address);
  const [service, listening] =
    protocol === "tcp"
      ? [`TCP${family}-LISTEN:${port},bind=${host},fork,reuseaddr SYSTEM:'echo open'`, `ss -Hltn 'src ${host} and sport = :${port}' | grep -q .`]
      : [`UDP${family}-RECVFROM:${port},bind=${host},fork,reuseaddr PIPE`, `echo ours | socat -t ${answerSeconds} - UDP${family}:${host}:${port} | grep -q ours`];
  await shell.must(
    `setsid socat ${service} </dev/null >/dev/null 2>&1 & ` +
      `for try in $(seq 100); do { ${listening}; } && exit 0; sleep 0.1; done; echo "nothing answers on ${protocol} ${address}:${port}" >&2; exit 1`,
    { signal },
  );
}

/** Asks a denied service once, for so long. @throws Failure when the asking machine does not answer. */
export async function askDenied(asker: Endpoint, target: string, { protocol, port }: DeniedService, patienceMs: number, signal: AbortSignal): Promise<DeniedOutcome> {
  const routed = asker.shell.run(`ip route get ${target}`, { signal }).then(({ exitCode }) => exitCode === 0);
  if (protocol === "udp") {
    const { sent, ...outcome } = await sendDatagrams(asker.shell, { target, port }, patienceMs, signal);
    return { ...outcome, packetsSent: (await routed) ? sent : 0 };
  }
  const [{ outcome, tookMs, localPort }, hasRoute] = await Promise.all([connectOnce(asker.agent, { address: target, port, timeoutMs: patienceMs, expect: "connect" }, signal), routed]);
  return { outcome, tookMs, sourcePort: localPort, packetsSent: hasRoute ? 1 : 0 };
}

/**
 * Sends datagrams one after the other, all from one port: one that meets no firewall at all, as in a takeover, proves nothing of the policy, so one
 * is not enough. @throws Failure when the machine does not answer.
 */
async function sendDatagrams(shell: MachineShell, { target, port }: { readonly target: string; readonly port: number }, patienceMs: number, signal: AbortSignal): Promise<Omit<DeniedOutcome, "packetsSent"> & { readonly sent: number }> {
  const sourcePort = firstDatagramPort + randomInt(1_000);
  const token = `asked-${randomInt(2 ** 32)}`;
  const startedMs = performance.now();
  const { family, host } = socatAddress(target);
  const script = `while read -r word; do echo "$word" | socat -t ${answerSeconds} - UDP${family}:${host}:${port},sourceport=${sourcePort} 2>&1; echo sent; done`;
  const count = Math.ceil(patienceMs / datagramMs);
  const { stdout } = await shell.run(script, { signal, input: `${token}\n`.repeat(count), timeoutMs: patienceMs + shellMarginMs });
  const lines = stdout.split("\n");
  const outcome = lines.includes(token) ? "answered" : /Connection refused/u.test(stdout) ? "refused" : (/No route to host|Network is unreachable/u.exec(stdout)?.[0] ?? "timeout");
  return { outcome, tookMs: performance.now() - startedMs, sourcePort, sent: lines.filter((line) => line === "sent").length };
}
