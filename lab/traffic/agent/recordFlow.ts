import { AgentFlow } from "./flow.ts";
import { forward, ofFlow, readRecord, recordSize, reverse, writeRecord, type Direction } from "./record.ts";

/** A tcp or udp flow: numbered records, between two agents. */
export class RecordFlow extends AgentFlow {
  /** Set while there is a way to send. */
  transmit: ((record: Buffer) => void) | undefined;
  readonly #seen = new Set<number>();
  #paced = false;

  override speak(firstInMs: number): void {
    if (this.#paced || this.state !== "open" || !this.session.speaking || !this.#mayInitiate()) return;
    this.#paced = true;
    this.session.pacer.add(this, firstInMs);
  }

  /** One turn of the pacer. */
  tick(): boolean {
    this.#paced = this.session.speaking && this.state === "open";
    if (this.#paced) this.sendNext();
    return this.#paced;
  }

  /** Sends the next record, whoever's turn it is. */
  sendNext(): void {
    if (this.transmit === undefined) return;
    const seq = this.sent.length;
    const record = Buffer.allocUnsafe(recordSize);
    writeRecord(record, 0, { session: this.session.number, flow: this.order.flow, direction: this.#outgoing(), purpose: ofFlow, seq });
    this.sent.push(seq, performance.now());
    this.transmit(record);
  }

  /** Takes in a record from the wire. True when it is right and was not seen before. */
  receive(bytes: Buffer, at: number): boolean {
    const header = readRecord(bytes, at);
    const ours =
      header?.session === this.session.number && header.flow === this.order.flow && header.purpose === ofFlow && header.direction !== this.#outgoing();
    if (!ours) {
      this.corrupt += 1;
      return false;
    }
    this.received.push(header.seq, performance.now());
    this.highest = Math.max(this.highest, header.seq);
    // TCP delivers once; only datagrams have to be remembered one by one.
    if (this.order.kind === "tcp") return true;
    if (this.#seen.has(header.seq)) return false;
    this.#seen.add(header.seq);
    return true;
  }

  override end(): void {
    super.end();
    this.transmit = undefined;
  }

  #outgoing(): Direction {
    return this.session.role === "client" ? forward : reverse;
  }

  #mayInitiate(): boolean {
    const { mode } = this.order;
    if (this.session.role === "client") return mode === "client" || mode === "both" || mode === "request";
    return mode === "server" || mode === "both" || (mode === "idle" && this.session.woken);
  }
}
