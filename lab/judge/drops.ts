import type { Drops, FlowDrops } from "../evidence/timeline.ts";
import { resumption, type FlowFigures } from "./figures.ts";
import type { Direction } from "./flowPackets.ts";
import { passagesOf, type Fate, type Passage, type Passages } from "./passages.ts";
import { rulesetAccount, sum, type RulesetAccount } from "./rulesetAccount.ts";
import type { Scene } from "./scene.ts";

/** Fates of packets that count as dropped: what comes out seconds later was queued and not forwarded. */
const lost: ReadonlySet<Fate> = new Set<Fate>(["dropped", "answered", "late"]);

/** What the survivor did with the packets of flows. */
export interface SurvivorsDrops {
  readonly drops: Drops;
  /** The first packet that it did not let out, or not in time. */
  readonly first: Passage | undefined;
  /** Packets that it dropped after the last look at it began, and that its log may tell of too. */
  readonly afterLook: number;
}

const workedOut = new WeakMap<Scene, SurvivorsDrops>();

/**
 * What the survivor did with the packets of flows, by its taps alone: from the observation before the transition until the next transition begins;
 * of the last transition, until the observation after it, for then the lab begins to end. Undefined without a capture. Worked out once a scene.
 */
export function dropsOf(scene: Scene): SurvivorsDrops | undefined {
  const seen = passagesOf(scene, scene.transition.to);
  if (seen === undefined) return undefined;
  const found = workedOut.get(scene) ?? workOut(scene, seen);
  workedOut.set(scene, found);
  return found;
}

function workOut(scene: Scene, seen: Passages): SurvivorsDrops {
  const { transition, startMs, untilMs } = scene;
  const { phase, to } = transition;
  const fromMs = Math.min(startMs, transition.before.atMs);
  const toMs = Number.isFinite(untilMs) ? untilMs : transition.after.atMs;
  const fates: Record<Fate, number> = { forwarded: 0, changed: 0, late: 0, answered: 0, dropped: 0, open: 0 };
  const dropped: Passage[] = [];
  for (const passage of seen.passages) {
    if (passage.enteredAtMs < fromMs || passage.enteredAtMs >= toMs) continue;
    fates[passage.fate] += 1;
    if (lost.has(passage.fate)) dropped.push(passage);
  }
  const answers = seen.answers.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  const account = rulesetAccount(scene);
  const forwarded = fates.forwarded + fates.changed;
  const drops: Drops = {
    phase,
    firewall: to,
    entered: forwarded + dropped.length,
    forwarded,
    dropped: dropped.length,
    late: fates.late,
    changed: fates.changed,
    open: fates.open,
    flows: flowDrops(scene, dropped),
    answered: byFlow(answers, ({ what }) => what).map(([{ flowId, direction, what, atMs }, packets]) => ({ id: flowId, direction, what, packets, firstAtMs: atMs })),
    ruleset: account.logged === undefined || !(account.counts || account.logs) ? null : { counted: account.counted ?? null, logged: account.logged.forwarded, loggedOfFlows: loggedOfFlows(account) },
    disagreement: disagreementOf(scene, seen, account),
  };
  return { drops, first: dropped[0], afterLook: notOutBetween(seen, transition.after.atMs, untilMs) };
}

function flowDrops(scene: Scene, dropped: readonly Passage[]): FlowDrops[] {
  const resumed = resumptions(scene);
  const momentOf = ({ flowId, direction, enteredAtMs }: Passage): FlowDrops["moment"] => {
    if (enteredAtMs < scene.startMs) return "before";
    return enteredAtMs < (resumed.get(`${direction} ${flowId}`) ?? Number.POSITIVE_INFINITY) ? "outage" : "after";
  };
  return byFlow(dropped, momentOf).map(([first, packets]) => ({ id: first.flowId, direction: first.direction, moment: momentOf(first), packets, firstAtMs: first.enteredAtMs }));
}

/** When each flow's directions moved again. One that carries no records of its own, but acknowledgements, moves with the other. */
function resumptions({ flows, transition, untilMs }: Scene): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const { flow, directions, speaking } of flows) {
    const timeOf = (direction: FlowFigures["directions"][number]) => resumption(direction, transition.fault.atMs, untilMs)?.atMs;
    const spoken = speaking.map(timeOf).filter((atMs) => atMs !== undefined);
    for (const direction of directions) {
      const atMs = timeOf(direction) ?? (speaking.includes(direction) ? undefined : spoken.toSorted((a, b) => b - a)[0]);
      if (atMs !== undefined) times.set(`${direction.name} ${flow.id}`, atMs);
    }
  }
  return times;
}

/** How many there are of each flow, direction and kind, with the first of them; in the order of the first ones. */
function byFlow<T extends { readonly flowId: string; readonly direction: Direction }>(items: readonly T[], kindOf: (item: T) => string): (readonly [T, number])[] {
  const groups = new Map<string, [T, number]>();
  for (const item of items) {
    const key = `${item.flowId} ${item.direction} ${kindOf(item)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item, 1]);
    else group[1] += 1;
  }
  return [...groups.values()];
}

function loggedOfFlows({ logged }: RulesetAccount): number {
  return sum(logged?.flows.values() ?? []);
}

/**
 * In what the taps and the ruleset contradict each other. A look at log and counters takes seconds on a slow machine, and what is dropped meanwhile may
 * be in it or not: surely in it is what was dropped from the fault, before which the first look had ended, until the last look began. A ruleset that
 * neither counts nor logs tells nothing, and contradicts nobody; one that counts and does not log can only count too few.
 */
function disagreementOf({ transition, startMs, untilMs }: Scene, seen: Passages, account: RulesetAccount): string | null {
  const { before, after, to } = transition;
  if (account.logged === undefined) return null;
  const atLeast = notOutBetween(seen, startMs, after.atMs);
  const atMost = notOutBetween(seen, before.atMs, untilMs);
  const logged = loggedOfFlows(account);
  const counted = account.counted === undefined ? "" : `, its counters count ${account.counted} packets of all kinds`;
  if (logged > atMost) return `${to}'s log names ${logged} packets of flows as dropped${counted}, but by its taps ${atMost} did not come out: it logs what it does not drop, or logs it twice`;
  if (account.logs ? logged >= atLeast : (account.counted ?? atLeast) >= atLeast) return null;
  return `by ${to}'s taps ${atLeast} packets of flows went in and did not come out, but its log names ${logged}${counted}: they were dropped where no rule counts and logs, or were merged before one did`;
}

function notOutBetween({ passages }: Passages, fromMs: number, untilMs: number): number {
  return passages.filter(({ fate, enteredAtMs }) => (fate === "dropped" || fate === "answered") && enteredAtMs >= fromMs && enteredAtMs < untilMs).length;
}
