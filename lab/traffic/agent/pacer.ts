/** Something that speaks at an interval. `tick` speaks once and says whether to go on. */
export interface Paced {
  readonly intervalMs: number;
  tick(): boolean;
}

interface Entry {
  dueMs: number;
  readonly paced: Paced;
}

/** Makes many senders speak with one timer: a thousand timers cost an emulated guest more than their records do. */
export class Pacer {
  /** Binary heap, the entry that is due first on top. */
  readonly #heap: Entry[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** Lets `paced` speak first after `firstInMs`, then at its interval until its `tick` says no. */
  add(paced: Paced, firstInMs: number): void {
    const entry = { dueMs: performance.now() + firstInMs, paced };
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
    if (this.#heap[0] === entry) this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const next = this.#heap[0];
    if (next !== undefined) this.#timer = setTimeout(() => this.#run(), Math.max(1, Math.ceil(next.dueMs - performance.now())));
  }

  #run(): void {
    const nowMs = performance.now();
    for (let top = this.#heap[0]; top !== undefined && top.dueMs <= nowMs; top = this.#heap[0]) {
      if (top.paced.tick()) {
        const nextMs = top.dueMs + top.paced.intervalMs;
        // A machine that was held up goes on at its pace; a burst of what it missed would be load that nobody asked for.
        top.dueMs = nextMs > nowMs ? nextMs : nowMs + top.paced.intervalMs;
      } else {
        const last = this.#heap.pop();
        if (last === undefined || last === top) continue;
        this.#heap[0] = last;
      }
      this.#sink(0);
    }
    this.#arm();
  }

  #due(index: number): number {
    return this.#heap[index]?.dueMs ?? Infinity;
  }

  #swap(one: number, other: number): void {
    const [first, second] = [this.#heap[one], this.#heap[other]];
    if (first === undefined || second === undefined) return;
    this.#heap[one] = second;
    this.#heap[other] = first;
  }

  #rise(from: number): void {
    for (let index = from; index > 0;) {
      const parent = (index - 1) >>> 1;
      if (this.#due(parent) <= this.#due(index)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #sink(from: number): void {
    for (let index = from; ;) {
      const left = 2 * index + 1;
      const smaller = this.#due(left + 1) < this.#due(left) ? left + 1 : left;
      if (this.#due(smaller) >= this.#due(index)) return;
      this.#swap(index, smaller);
      index = smaller;
    }
  }
}
