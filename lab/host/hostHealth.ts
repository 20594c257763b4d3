/** How well the host kept time while a lab ran. The shape of `HostHealth` in lab/evidence. */
export interface TimerHealth {
  /** Worst delay, in milliseconds, by which a 100 ms timer of this process woke late. */
  readonly worstTimerDelayMs: number;
  readonly allowedTimerDelayMs: number;
}

/** Period of the timer. */
const periodMs = 100;
/** A VRRP backup takes over after 3 advert intervals of 1 s: what stalls the host for half of that can cause what is to be judged. */
const defaultAllowedMs = 1_500;

/**
 * Watches how late this process's timer wakes: whatever starves it (an overcommitted host, a suspended VM, swapping) starves the lab's VMs
 * too. Also what blocks this process itself counts, as it delays what is measured here.
 */
export class HostHealthWatch {
  readonly #allowedMs: number;
  #timer: NodeJS.Timeout | undefined;
  #due = 0;
  #worstMs = 0;

  constructor(allowedTimerDelayMs = defaultAllowedMs) {
    this.#allowedMs = allowedTimerDelayMs;
  }

  /** Begins to watch; does nothing when it watches already. The timer does not keep the process alive. */
  start(): void {
    if (this.#timer !== undefined) {
      return;
    }
    this.#due = performance.now() + periodMs;
    this.#timer = setInterval(() => this.#woke(), periodMs).unref();
  }

  /** Ends watching. What was measured stays. */
  stop(): void {
    if (this.#timer !== undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#measure();
    }
  }

  /** Forgets what was measured, for instance the delays of booting, which nothing is judged by. */
  reset(): void {
    this.#worstMs = 0;
    this.#due = performance.now() + periodMs;
  }

  /** The worst delay since `start` or `reset`, one that is still going on included. Whole milliseconds. */
  health(): TimerHealth {
    if (this.#timer !== undefined) {
      this.#measure();
    }
    return { worstTimerDelayMs: Math.round(this.#worstMs), allowedTimerDelayMs: this.#allowedMs };
  }

  #woke(): void {
    this.#measure();
    this.#due = performance.now() + periodMs;
  }

  #measure(): void {
    this.#worstMs = Math.max(this.#worstMs, performance.now() - this.#due);
  }
}
