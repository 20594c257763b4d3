import { AgentFlow, type FlowOrder, type FlowSession } from "./flow.ts";
import { farSideScript, keystrokesOfLine, typedLine, type ContentSeed } from "./sshScript.ts";
import { SshTranscript, type Greeting } from "./sshTranscript.ts";

/**
 * An ssh session, typed keystroke by keystroke by the client's agent. A line is a record: sent with its return key, received when the far
 * side's right answer to it is here, as the far side has no clock of ours. At the server's agent it stays new: sshd serves it.
 */
export class SshFlow extends AgentFlow {
  readonly #seed: ContentSeed;
  readonly #transcript: SshTranscript;
  #type: ((keystroke: string) => void) | undefined;
  #line = "";
  #paced = false;

  constructor(session: FlowSession, order: FlowOrder) {
    super(session, order);
    this.#seed = ((order.flow + 1) * 104_729) % 100_000;
    this.#transcript = new SshTranscript(this.#seed);
  }

  /** What the far side is to run. */
  get program(): string {
    return farSideScript(this.#seed);
  }

  override get unanswered(): number {
    return this.sent.length + (this.#line === "" ? 0 : 1) - this.received.length - this.misheard;
  }

  /** The far side's program runs and has told where it is. Keystrokes go to `type`. */
  begin(type: (keystroke: string) => void, { source, destination, rest }: Greeting): void {
    this.#type = type;
    this.accepted = 1;
    this.noteSource(source);
    this.peer = destination;
    this.state = "open";
    this.hear(rest);
  }

  /** Takes in what the terminal gave after the greeting, one character a byte. */
  hear(output: string): void {
    const { answered, wrongLines, diverged } = this.#transcript.hear(output);
    for (const seq of answered) {
      this.received.push(seq, performance.now());
      this.highest = seq;
    }
    this.misheard += wrongLines;
    if (diverged === undefined) return;
    this.corrupt += 1;
    this.noteError("EBYTES", `the session gave a byte that it must not give: ${diverged}`);
  }

  /** As of every flow; the interval is a line's, so that the first keystroke comes after its share of it. */
  override speak(firstInMs: number): void {
    if (this.#paced || this.state !== "open" || !this.session.speaking) return;
    this.#paced = true;
    this.session.pacer.add({ intervalMs: this.intervalMs / keystrokesOfLine, tick: () => this.#tick() }, firstInMs / keystrokesOfLine);
  }

  override end(): void {
    super.end();
    this.#type = undefined;
  }

  /** A line under way is typed to its end, whoever may speak: half a line would never be answered. */
  #tick(): boolean {
    this.#paced = this.state === "open" && (this.session.speaking || this.#line !== "");
    if (this.#paced) this.#typeNext();
    return this.#paced;
  }

  #typeNext(): void {
    if (this.#line === "") this.#line = typedLine(this.sent.length, this.#seed);
    const keystroke = this.#line.charAt(0);
    this.#line = this.#line.slice(1);
    this.#transcript.typed(keystroke);
    if (this.#line === "") this.sent.push(this.sent.length, performance.now());
    this.#type?.(keystroke);
  }
}
