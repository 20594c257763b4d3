import type { FlowFigures } from "../../judge/figures.ts";
import { resumption } from "../../judge/figures.ts";
import { ledgerPath } from "../../judge/scene.ts";
import type { Quote, QuotedLine } from "./quote.ts";
import type { TransitionStory } from "./runInput.ts";
import { sinceFault } from "./timelineWords.ts";

/** Records before and after a fault that are told of each direction. */
const around = 2;

/** A flow's last records before a fault and its first ones after it, out of its ledger. */
export function ledgerQuote({ flow, speaking, errors }: FlowFigures, { transition: { fault }, untilMs }: TransitionStory): Quote {
  const since = (atMs: number) => sinceFault(Number.isNaN(atMs) ? null : atMs, fault.atMs);
  const lines = speaking.flatMap((direction): QuotedLine[] => {
    const { name, arrivals, lost, sent } = direction;
    const before = arrivals.filter(({ atMs }) => atMs < fault.atMs).slice(-around);
    const resumed = resumption(direction, fault.atMs, untilMs);
    const after = arrivals.filter(({ atMs }) => atMs >= fault.atMs && atMs <= untilMs).slice(0, around);
    const record = (when: string) => ({ seq, atMs, sent: sentAt }: (typeof arrivals)[number]) => ({
      text: `${name}: ${when} the fault, record ${seq} came in at ${since(atMs)}${sentAt === undefined ? ", sent by nobody" : `, sent at ${since(sentAt.atMs)}`}`,
    });
    return [
      ...before.map(record("before")),
      ...after.map(record("after")),
      ...(resumed === undefined ? [{ text: `${name}: of what was sent after the fault nothing came in`, marked: true }] : []),
      ...(lost.length > 0 ? [{ text: `${name}: ${lost.length} of ${sent} records lost, the first of them record ${lost[0]?.seq ?? 0}, sent at ${since(lost[0]?.atMs ?? Number.NaN)}`, marked: flow.kind !== "udp" }] : []),
    ];
  });
  const ends = errors.slice(0, 3).map(({ atMs, code, message }) => ({ text: `${code} at ${since(atMs)}: ${message}`, marked: true }));
  return { file: ledgerPath(flow.id), shows: `The ledger of ${flow.id} around the fault`, lines: [...lines, ...ends] };
}
