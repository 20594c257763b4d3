import { connect } from "node:net";
import { errorCode } from "./flow.ts";
import { forward, ofProbe, readRecord, recordSize, reverse, writeRecord } from "./record.ts";

export interface ConnectOrder {
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** `record`: the service itself must answer the opening record; `connect`: the handshake is enough. */
  readonly expect: "record" | "connect";
  /** Number of the probe, told apart from other probes by the service's answer. */
  readonly probe: number;
}

export interface ConnectOutcome {
  /** `answered`, `refused`, `timeout`, `garbled` (an answer that is not the service's), `ended` (closed unanswered), or an error code. */
  readonly outcome: string;
  /** Whether the handshake came to its end. */
  readonly connected: boolean;
  /** Source port, 0 when the kernel gave none. */
  readonly localPort: number;
  readonly tookMs: number;
}

/** Opens one short TCP connection and says what came of it. */
export function connectOnce({ address, port, timeoutMs, expect, probe }: ConnectOrder): Promise<ConnectOutcome> {
  return new Promise((resolve) => {
    const startedMs = performance.now();
    let connected = false;
    let answer = Buffer.alloc(0);
    const header = { session: 0, flow: probe, direction: forward, purpose: ofProbe, seq: 0 };
    const socket = connect({ host: address, port, noDelay: true });
    let localPort = 0;
    // Node calls connect() in the next tick, and the kernel chooses the port there: known even when no SYN is ever answered, as of a dropped probe.
    process.nextTick(() => {
      localPort = socket.localPort ?? 0;
    });
    const settle = (outcome: string): void => {
      clearTimeout(timer);
      resolve({ outcome, connected, localPort, tookMs: performance.now() - startedMs });
      socket.destroy();
    };
    const timer = setTimeout(() => settle("timeout"), timeoutMs);
    socket.once("connect", () => {
      connected = true;
      if (expect === "connect") {
        settle("answered");
        return;
      }
      const record = Buffer.alloc(recordSize);
      writeRecord(record, 0, header);
      socket.write(record);
    });
    socket.on("data", (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length < recordSize) return;
      const got = answer.length === recordSize ? readRecord(answer, 0) : undefined;
      const right = got?.purpose === ofProbe && got.direction === reverse && got.flow === probe && got.session === 0 && got.seq === 0;
      settle(right ? "answered" : "garbled");
    });
    socket.once("error", (error) => settle(errorCode(error) === "ECONNREFUSED" ? "refused" : errorCode(error)));
    socket.once("end", () => settle("ended"));
  });
}
