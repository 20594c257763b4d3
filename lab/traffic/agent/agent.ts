import { randomUUID } from "node:crypto";
import type { Method, Result } from "../protocol.ts";
import { base64Of } from "./columns.ts";
import { connectOnce } from "./connectOnce.ts";
import { BadRequest, choiceField, fieldsOf, flowOrdersField, integerField, numberField, stringField, type Fields } from "./fields.ts";
import type { AgentFlow } from "./flow.ts";
import { Pacer } from "./pacer.ts";
import { RecordFlow } from "./recordFlow.ts";
import { Session } from "./session.ts";
import { Sessions } from "./sessions.ts";
import { openSshFlows } from "./sshClient.ts";
import { SshFlow } from "./sshFlow.ts";
import { sshLoginField, type SshLogin } from "./sshIdentity.ts";
import type { SshPart } from "./sshPart.ts";
import { openTcpFlows } from "./tcpClient.ts";
import { serveTcp } from "./tcpServer.ts";
import { openUdpFlow } from "./udpClient.ts";
import { serveUdp } from "./udpServer.ts";

type Answers = { readonly [M in Method]: (fields: Fields) => Result<M> | Promise<Result<M>> };

const mostUint32 = 0xffff_ffff;
const stateNumbers = { new: 0, open: 1, ended: 2 } as const;

/** All that the agent knows and does. It belongs to no control connection, so that one may break and another take over. */
export class Agent {
  readonly #id = randomUUID();
  readonly #sessions = new Sessions();
  readonly #pacer = new Pacer();
  /** Listening sockets by kind, address and port; one that could not be made is tried anew by the next session. */
  readonly #listening = new Map<string, Promise<unknown>>();
  readonly #loadSsh: () => SshPart;

  /** `loadSsh` is called when ssh flows are to be opened, or when somebody asks for it before, and not sooner. */
  constructor(loadSsh: () => SshPart) {
    this.#loadSsh = loadSsh;
  }

  /** Answers one request. @throws BadRequest, or the error of a socket, for the host to read. */
  async answer(method: string, params: unknown): Promise<unknown> {
    if (!Object.hasOwn(this.#answers, method)) throw new BadRequest(`no method ${method}`);
    return this.#answers[method as Method](fieldsOf(params));
  }

  readonly #answers: Answers = {
    hello: () => ({ agent: this.#id, pid: process.pid, node: process.version, rssBytes: process.memoryUsage.rss() }),
    now: () => ({ nowMs: performance.now() }),
    loadSsh: () => {
      this.#loadSsh();
      return {};
    },
    open: (fields) => this.#open(fields),
    progress: (fields) => this.#progress(this.#session(fields)),
    sentAfter: (fields) => {
      const fromMs = numberField(fields, "fromMs");
      return { seq: base64Of(Int32Array.from(this.#session(fields).flows, (flow) => flow.sent.firstSeqFrom(fromMs))) };
    },
    receivedFrom: (fields) => {
      const bytes = Uint8Array.from(Buffer.from(stringField(fields, "seq"), "base64"));
      const { flows } = this.#session(fields);
      if (bytes.length !== flows.length * 4) throw new BadRequest(`seq must hold ${flows.length} numbers`);
      const wanted = new Int32Array(bytes.buffer);
      return {
        atMs: base64Of(
          Float64Array.from(flows, (flow, index) => {
            const seq = wanted[index] ?? -1;
            return seq < 0 || flow.highest < seq ? -1 : flow.received.firstTimeOf(seq);
          }),
        ),
      };
    },
    ledger: (fields) => ({
      flows: this.#session(fields)
        .flows.slice(integerField(fields, "from", 0, mostUint32), integerField(fields, "to", 0, mostUint32))
        .map(({ order, local, sources, accepted, corrupt, misheard, sent, received, errors }) => ({
          flow: order.flow,
          local: local ?? null,
          sources,
          accepted,
          corrupt,
          misheard,
          sent: sent.encoded(),
          received: received.encoded(),
          errors,
        })),
    }),
    places: (fields) => ({ flows: this.#session(fields).flows.map(({ local, peer, sources, errors }) => ({ local: local ?? null, peer: peer ?? null, sources, errors })) }),
    stop: (fields) => {
      this.#session(fields).stop();
      return {};
    },
    speak: (fields) => {
      this.#session(fields).speak();
      return {};
    },
    wake: (fields) => {
      this.#session(fields).wake();
      return {};
    },
    close: (fields) => {
      const number = integerField(fields, "session", 1, mostUint32);
      this.#sessions.byNumber.get(number)?.close();
      this.#sessions.byNumber.delete(number);
      return {};
    },
    connectOnce: (fields) =>
      connectOnce({
        address: stringField(fields, "address"),
        port: integerField(fields, "port", 1, 65_535),
        timeoutMs: numberField(fields, "timeoutMs", 1),
        expect: choiceField(fields, "expect", ["record", "connect"]),
        probe: integerField(fields, "probe", 0, mostUint32),
      }),
  };

  #session(fields: Fields): Session {
    const number = integerField(fields, "session", 1, mostUint32);
    const session = this.#sessions.byNumber.get(number);
    if (session === undefined) throw new BadRequest(`no session ${number}`);
    return session;
  }

  async #open(fields: Fields): Promise<Result<"open">> {
    const number = integerField(fields, "session", 1, mostUint32);
    const role = choiceField(fields, "role", ["client", "server"]);
    const address = stringField(fields, "address");
    const orders = flowOrdersField(fields, "flows");
    const known = this.#sessions.byNumber.get(number);
    if (known !== undefined) return { flows: known.flows.length };
    const ssh = role === "client" && orders.some(({ kind }) => kind === "ssh") ? { login: sshLoginField(fields, "identity"), part: this.#loadSsh() } : undefined;
    if (role === "server") {
      for (const { kind, port } of orders) if (kind !== "ssh") await this.#listen(kind, address, port);
    }
    // A repeated request may have come in while sockets were being made.
    if (!this.#sessions.byNumber.has(number)) this.#begin(new Session(number, role, this.#pacer, orders), address, ssh);
    return { flows: orders.length };
  }

  #begin(session: Session, address: string, ssh: { readonly login: SshLogin; readonly part: SshPart } | undefined): void {
    this.#sessions.byNumber.set(session.number, session);
    if (session.role === "server") return;
    const firstInMs = (flow: AgentFlow): number => session.phaseOf(flow);
    const overRecords = session.flows.filter((flow) => flow instanceof RecordFlow);
    openTcpFlows(address, overRecords.filter((flow) => flow.order.kind === "tcp"), firstInMs);
    for (const flow of overRecords) if (flow.order.kind === "udp") openUdpFlow(address, flow, firstInMs(flow));
    if (ssh !== undefined) openSshFlows(address, session.flows.filter((flow) => flow instanceof SshFlow), { ...ssh, firstInMs });
  }

  async #listen(kind: "tcp" | "udp", address: string, port: number): Promise<void> {
    const key = `${kind} ${address} ${port}`;
    const listening = this.#listening.get(key) ?? (kind === "tcp" ? serveTcp : serveUdp)(address, port, this.#sessions);
    this.#listening.set(key, listening);
    try {
      await listening;
    } catch (error) {
      this.#listening.delete(key);
      throw error;
    }
  }

  #progress({ flows }: Session): Result<"progress"> {
    const column = (numberOf: (flow: (typeof flows)[number]) => number): string => base64Of(Int32Array.from(flows, numberOf));
    return {
      state: column((flow) => stateNumbers[flow.state]),
      accepted: column((flow) => flow.accepted),
      sent: column((flow) => flow.sent.length),
      received: column((flow) => flow.received.length),
      errors: column((flow) => flow.errors.length),
      unanswered: column((flow) => flow.unanswered),
      highest: column((flow) => flow.highest),
      lastAtMs: base64Of(Float64Array.from(flows, (flow) => flow.received.lastAtMs)),
      strays: this.#sessions.strays,
    };
  }
}
