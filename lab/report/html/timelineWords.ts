import type { Timeline, TimelineMoment, TimelineStep } from "../../evidence/timeline.ts";

/** What a moment is, in words, with the firewalls' names. */
export function stepWords(step: TimelineStep, { from, to }: Pick<Timeline, "from" | "to">): string {
  switch (step) {
    case "last-advert":
      return `Last advert of ${from}`;
    case "first-advert":
      return `First advert of ${to}`;
    case "master":
      return `${to} says it is MASTER`;
    case "address-up":
      return `${to} has the address`;
    case "announced":
      return `${to} announces the address`;
    case "forwarding-moved":
      return `Bridge leads to ${to}`;
    case "committed":
      return `States are in ${to}'s kernel`;
    case "first-forwarded":
      return `First packet through ${to}`;
    case "last-flow-moves":
      return "Last flow that resumed moves";
  }
}

/** What a moment is told of, in words. */
export function subjectWords({ step, subject }: Pick<TimelineMoment, "step" | "subject">): string {
  if (step === "committed") return "";
  if (step === "first-forwarded") return subject === "forward" ? "client to server" : subject === "reverse" ? "server to client" : subject;
  return subject;
}

/** A time since the fault, in milliseconds with its sign. */
export function sinceFault(atMs: number | null, faultAtMs: number): string {
  if (atMs === null) return "not seen";
  const since = Math.round(atMs - faultAtMs);
  return `${since < 0 ? "−" : "+"}${Math.abs(since).toLocaleString("en-GB")} ms`;
}

/** Moments in the order of their times; those that were not seen last, in the order of the steps. */
export function inOrder(moments: readonly TimelineMoment[]): TimelineMoment[] {
  return moments.toSorted((a, b) => (a.atMs ?? Number.MAX_SAFE_INTEGER) - (b.atMs ?? Number.MAX_SAFE_INTEGER));
}
