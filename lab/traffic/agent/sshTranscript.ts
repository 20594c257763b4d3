import type { Endpoint } from "../../evidence/ledger.ts";
import { answerTo, echoOf, returnKey, type ContentSeed } from "./sshScript.ts";

/** What the far side's program says before the first line: `SSH_CONNECTION` as sshd gave it. */
const greetingPattern = /^@([\da-f.:]+) (\d+) ([\da-f.:]+) (\d+);/u;

/** The far side's view of the connection, and the output that follows. */
export interface Greeting {
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly rest: string;
}

/** What a piece of output brought. */
export interface Heard {
  /** Lines that the far side told us to have got as they must be, and whose answers are right. */
  readonly answered: readonly number[];
  /** Lines that the far side told us to have got wrong. */
  readonly wrongLines: number;
  /** Set once, when a byte came that was not foreseen. */
  readonly diverged: string | undefined;
}

/** Checks every byte that a pty gives back against what it must be. After the first wrong byte nothing is believed any more. */
export class SshTranscript {
  readonly #seed: ContentSeed;
  #echoWanted = "";
  #echoed = 0;
  #typed = 0;
  #answered = 0;
  #answer = "";
  #diverged = false;

  constructor(seed: ContentSeed) {
    this.#seed = seed;
  }

  /** The greeting, once it has come in whole. */
  static greeting(output: string): Greeting | undefined {
    const match = greetingPattern.exec(output);
    if (match === null) return undefined;
    const [greeting, sourceAddress = "", sourcePort, address = "", port] = match;
    return {
      source: { address: sourceAddress, port: Number(sourcePort) },
      destination: { address, port: Number(port) },
      rest: output.slice(greeting.length),
    };
  }

  /** A keystroke was sent: its echo may come from now on, and with the return key the line's answer. */
  typed(keystroke: string): void {
    this.#echoWanted += echoOf(keystroke);
    if (keystroke === returnKey) this.#typed += 1;
  }

  /** Takes in output, one character a byte. */
  hear(output: string): Heard {
    const answered: number[] = [];
    let wrongLines = 0;
    for (let at = 0; at < output.length && !this.#diverged; at += 1) {
      const byte = output.charAt(at);
      if (/[a-z\r\n]/u.test(byte)) {
        const mustBe = this.#echoWanted.charAt(this.#echoed);
        if (byte !== mustBe) return this.#diverge(answered, wrongLines, `echo ${JSON.stringify(byte)}, must be ${JSON.stringify(mustBe)}`);
        this.#echoed += 1;
        continue;
      }
      const must = answerTo(this.#answered, this.#seed);
      const mustNot = must.replace("+", "-");
      this.#answer += byte;
      if (this.#answered >= this.#typed || (!must.startsWith(this.#answer) && !mustNot.startsWith(this.#answer))) {
        return this.#diverge(answered, wrongLines, `answer ${JSON.stringify(this.#answer)}, must be ${JSON.stringify(must)}`);
      }
      if (byte !== ";") continue;
      if (this.#answer === must) answered.push(this.#answered);
      else wrongLines += 1;
      this.#answered += 1;
      this.#answer = "";
    }
    this.#echoWanted = this.#echoWanted.slice(this.#echoed);
    this.#echoed = 0;
    return { answered, wrongLines, diverged: undefined };
  }

  #diverge(answered: readonly number[], wrongLines: number, why: string): Heard {
    this.#diverged = true;
    return { answered, wrongLines, diverged: why };
  }
}
