import type { PairTopology } from "../topology/topology.ts";
import { outageBoundOf } from "./failover.ts";

/** Who of a pair is to be active and how soon nodes take over, by its files: what lab/config reads there. */
export interface ExpectedDuty {
  /** A node of which the files say nothing is not among them. */
  readonly nodes: readonly {
    readonly machine: string;
    readonly advertSeconds: number;
    readonly masterDownSeconds: number;
    /** From the other's adverts of lower priority to its taking over. */
    readonly preemptDelaySeconds: number;
    readonly startupDelaySeconds: number;
  }[];
  /** Undefined where neither is. */
  readonly preferred: string | undefined;
  /** The preferred node takes the duty back when it returns. */
  readonly preempts: boolean;
}

/** How long a validation waits, in milliseconds. */
export interface ValidationTimes {
  /** For one owner of the virtual addresses, from when the machines are up. */
  readonly ownerWithinMs: number;
  /** Longest time that a flow may stand still. */
  readonly boundMs: number;
  /** For a firewall that is back and has the states to take the duty; 0 where it is not to take it. */
  takesBackWithinMs(returned: string): number;
  /** For how long, by its files, a firewall that is back leaves the duty where it is, from when its daemons have started; 0 where that is not known. */
  keepsBackForMs(returned: string): number;
}

/** For a slow machine, beyond every timer of the pair's own. */
const slowMachineMs = 8_000;

/** A preemption that waits for longer than this is not waited for: then the way back is proved by a second power cut. */
const longestPreemptSeconds = 20;

/** What is waited for where the files tell nothing. */
const unknown = { advertMs: 1_000, masterDownMs: 4_000, takesBackMs: 14_000 } as const;

/** The times of a pair, by its own timers. Without any, those of a pair with an advert every second. @param slowness how many times slower than idle the host is. */
export function validationTimes(duty: ExpectedDuty | undefined, { virtualAddresses }: Pick<PairTopology, "virtualAddresses">, slowness = 1): ValidationTimes {
  const marginMs = slowMachineMs * slowness;
  const nodes = duty?.nodes ?? [];
  const longest = (of: (node: ExpectedDuty["nodes"][number]) => number, otherwise: number) => (nodes.length === 0 ? otherwise : Math.max(...nodes.map((node) => of(node) * 1000)));
  const startupMs = longest(({ startupDelaySeconds }) => startupDelaySeconds, 0);
  const masterDownMs = longest(({ masterDownSeconds }) => masterDownSeconds, unknown.masterDownMs);
  return {
    // With two instances that are no group, one may follow the other.
    ownerWithinMs: startupMs + masterDownMs * Math.max(1, Math.min(2, virtualAddresses.length)) + marginMs,
    boundMs: outageBoundOf(longest(({ advertSeconds }) => advertSeconds, unknown.advertMs)),
    takesBackWithinMs: (returned) => {
      const node = nodes.find(({ machine }) => machine === returned);
      if (duty === undefined || node === undefined) return unknown.takesBackMs;
      if (!duty.preempts || duty.preferred !== returned || node.preemptDelaySeconds > longestPreemptSeconds) return 0;
      return (node.preemptDelaySeconds + node.masterDownSeconds + node.startupDelaySeconds) * 1000 + marginMs;
    },
    keepsBackForMs: (returned) => {
      const node = nodes.find(({ machine }) => machine === returned);
      if (duty === undefined || node === undefined) return 0;
      return duty.preempts && duty.preferred === returned ? node.preemptDelaySeconds * 1000 : Number.POSITIVE_INFINITY;
    },
  };
}
