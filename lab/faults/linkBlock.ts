import { setTimeout as delay } from "node:timers/promises";
import type { FaultRecord } from "../evidence/evidence.ts";

/** A port of a bridge that can be shut and opened: what is plugged in there does not notice. */
export interface Link {
  readonly name: string;
  /** Resolves when the port is seen in its new state. */
  readonly set: (state: "shut" | "open") => Promise<void>;
}

/** For how long a link was shut, in milliseconds of the host's monotonic clock. Each order took effect between its start and its end. */
export interface LinkBlock extends FaultRecord {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** Node's timers are late, on a busy host by tens of milliseconds: the rest is waited for awake. */
const awakeMs = 60;

/**
 * Blocks a link for a set time: frames pass in neither direction, and are gone. The machines' NICs keep their carrier, so that no machine learns of
 * it but by its traffic. The link is open again whatever happens. @throws what `set` throws; the signal's reason.
 */
export async function linkBlock(link: Link, lengthMs: number, signal: AbortSignal): Promise<LinkBlock> {
  const atMs = Date.now();
  const shutFrom = performance.now();
  await link.set("shut");
  const shutBy = performance.now();
  let openFrom: number;
  try {
    // The order to open is given so that its middle comes as long after the middle of the other as is asked for.
    const orderAt = shutFrom + lengthMs;
    await delay(Math.max(0, orderAt - performance.now() - awakeMs), undefined, { signal });
    while (performance.now() < orderAt) signal.throwIfAborted();
  } finally {
    openFrom = performance.now();
    await link.set("open");
  }
  const openBy = performance.now();
  const [leastMs, mostMs] = [openFrom - shutBy, openBy - shutFrom];
  return {
    id: "link-block",
    target: link.name,
    atMs,
    leastMs,
    mostMs,
    effect: { bit: mostMs - leastMs < lengthMs, measured: `the bridge's port ${link.name} was shut for ${leastMs.toFixed(1)} to ${mostMs.toFixed(1)} ms`, evidence: "evidence.json" },
  };
}
