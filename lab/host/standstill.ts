import { readdirSync, readFileSync } from "node:fs";

/** A process that is watched: a machine's QEMU. */
export interface WatchedProcess {
  readonly name: string;
  readonly pid: number;
}

/** The longest time for which a process wanted to run or to go on and the host did not let it. The shape of `Standstill` in lab/evidence. */
export interface ProcessStandstill {
  readonly machine: string;
  /** Milliseconds, known to a period of the watch. */
  readonly worstMs: number;
}

/** What a thread does at one moment. */
export interface ThreadMoment {
  readonly id: number;
  /** One letter, as of proc(5): R wants to run, or runs; D waits for the host's disk. */
  readonly state: string;
  /** Processor time that it has had so far, in nanoseconds. */
  readonly ranNs: bigint;
}

const periodMs = 250;

/** A thread that sleeps wants nothing; one in these states is the host's to serve. */
const wanting: ReadonlySet<string> = new Set(["R", "D"]);

interface Seen {
  readonly ranNs: bigint;
  /** By the monotonic clock: since when it has wanted to run and has not; undefined when it runs or sleeps. */
  readonly heldSinceMs: number | undefined;
}

/**
 * Watches whether the threads of processes that want to run do run. A scheduler that is fair to this process may hold up QEMU all the same, and a disk
 * can: a machine that stands still for seconds looks to its peer as if it were dead, and no timer of this process shows it. A machine that is paused, or
 * has nothing to do, sleeps and does not count.
 */
export class StandstillWatch {
  readonly #processes: () => readonly WatchedProcess[];
  readonly #threadsOf: (pid: number) => readonly ThreadMoment[];
  readonly #worstMs = new Map<string, number>();
  #seen = new Map<string, Seen>();
  #timer: NodeJS.Timeout | undefined;

  /** @param processes asked anew at each look: a machine that boots again has another. */
  constructor(processes: () => readonly WatchedProcess[], threadsOf: (pid: number) => readonly ThreadMoment[] = threadsOfProcess) {
    this.#processes = processes;
    this.#threadsOf = threadsOf;
  }

  /** Begins to watch; does nothing when it watches already. The timer does not keep the process alive. */
  start(): void {
    this.#timer ??= setInterval(() => this.#look(), periodMs).unref();
  }

  /** Ends watching. What was measured stays. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The worst of each process that was seen since `start`, whole milliseconds. */
  standstills(): ProcessStandstill[] {
    return [...this.#worstMs].map(([machine, worstMs]) => ({ machine, worstMs: Math.round(worstMs) }));
  }

  #look(): void {
    const nowMs = performance.now();
    const seen = new Map<string, Seen>();
    for (const { name, pid } of this.#processes()) {
      let worstMs = this.#worstMs.get(name) ?? 0;
      for (const { id, state, ranNs } of this.#threadsOf(pid)) {
        const key = `${pid} ${id}`;
        const before = this.#seen.get(key);
        const held = wanting.has(state) && before?.ranNs === ranNs;
        const heldSinceMs = held ? (before.heldSinceMs ?? nowMs) : undefined;
        if (heldSinceMs !== undefined) worstMs = Math.max(worstMs, nowMs - heldSinceMs);
        seen.set(key, { ranNs, heldSinceMs });
      }
      this.#worstMs.set(name, worstMs);
    }
    this.#seen = seen;
  }
}

/** The threads of a process; none when it has ended. Source: proc(5), /proc/pid/task/tid/stat and …/schedstat (Linux Documentation/scheduler/sched-stats.rst). */
export function threadsOfProcess(pid: number): ThreadMoment[] {
  const folder = `/proc/${pid}/task`;
  return unlessGone(() => readdirSync(folder), []).flatMap((id) => {
    const told = unlessGone(() => [readFileSync(`${folder}/${id}/stat`, "utf8"), readFileSync(`${folder}/${id}/schedstat`, "utf8")] as const, undefined);
    if (told === undefined) return [];
    const [stat, schedstat] = told;
    // The name before it is in parentheses and may hold any character.
    const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
    return [{ id: Number(id), state, ranNs: BigInt(schedstat.split(" ")[0] ?? "0") }];
  });
}

/** A thread may end between two reads. */
function unlessGone<T, U>(read: () => T, gone: U): T | U {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return gone;
    throw error;
  }
}
