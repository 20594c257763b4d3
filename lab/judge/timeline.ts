import type { StatelessWindow, Timeline, TimelineMoment, TimelineStep } from "../evidence/timeline.ts";
import { Lookout } from "./lookout.ts";
import { passagesOf } from "./passages.ts";
import { lastFlowMoment, resumptionsOf, type Takeover } from "./resumptions.ts";
import { isReturn, ms, type Scene } from "./scene.ts";
import { addressMoments, advertMoments, announcementMoments, committedMoment, forwardedMoments, lastForwarded, masterMoments, passagesHere } from "./timelineMoments.ts";

/**
 * What happened in a transition and when, on the host's clock: cut out of capture, events and ledgers. Nothing is left out: a moment that was not
 * seen says why. In a failback `from` gives its duty up because the other has the higher priority again; the steps are the same.
 * @param options.tracksStates whether the machines have states to commit and forward what was told them: of directors, whose states the kernel takes over as they come, that is not asked.
 */
export function timelineOf(scene: Scene, { tracksStates = true }: { readonly tracksStates?: boolean } = {}): Timeline {
  const { transition } = scene;
  const { phase, from, to, fault } = transition;
  const lookout = new Lookout(scene);
  const addresses = addressMoments(lookout);
  const committed = committedMoment(lookout);
  const forwarded = forwardedMoments(lookout);
  const forwardedAtMs = { forward: timeOf(forwarded, "forward"), reverse: timeOf(forwarded, "reverse") };
  const before = [...advertMoments(lookout), ...masterMoments(lookout), ...addresses, ...announcementMoments(lookout), ...(tracksStates ? [committed, ...forwarded] : [])];
  const takeover = { fromMs: scene.startMs, untilMs: takenOver(before, fault.atMs), forwardedAtMs };
  const flows = resumptionsOf(scene, takeover);
  const moments = [...before, lastFlowMoment(scene, flows, takeover)];
  return {
    phase,
    from,
    to,
    faultAtMs: fault.atMs,
    moments: withOrder(scene, moments),
    window: windowOf(lookout, addresses, committed),
    firewallMs: firewallPart(scene, forwardedAtMs),
    flows,
  };
}

/**
 * How long nobody forwarded, the longer of both ways: until the survivor did, since the fault that ended the other; in a failback, where the other
 * still lives, since the last packet that it let through. Null when that was not seen.
 */
function firewallPart(scene: Scene, forwardedAtMs: Takeover["forwardedAtMs"]): number | null {
  const { from, fault } = scene.transition;
  const lengths = (["forward", "reverse"] as const).map((direction) => {
    const untilMs = forwardedAtMs[direction];
    const sinceMs = !isReturn(scene.transition) ? fault.atMs : untilMs === null ? undefined : lastForwarded(passagesOf(scene, from)?.passages ?? [], direction, untilMs);
    return untilMs === null || sinceMs === undefined ? null : untilMs - sinceMs;
  });
  return lengths.reduce((longest, length) => (longest === null || length === null ? null : Math.max(longest, length)), 0);
}

/** When the survivor had the duty: with its last announcement, or if that was not seen, with the last of what was. */
function takenOver(moments: readonly TimelineMoment[], faultAtMs: number): number {
  const last = (step: TimelineStep) => Math.max(...moments.filter((moment) => moment.step === step).map(({ atMs }) => atMs ?? Number.NEGATIVE_INFINITY));
  const known = (["announced", "address-up", "master"] as const).map(last).find((atMs) => atMs !== Number.NEGATIVE_INFINITY);
  return Math.max(faultAtMs, known ?? faultAtMs);
}

function timeOf(moments: readonly TimelineMoment[], subject: string): number | null {
  return moments.find((moment) => moment.subject === subject)?.atMs ?? null;
}

/** From the last virtual address until the states were there, with what met the survivor in between. Null when one of the two was not seen. */
function windowOf(lookout: Lookout, addresses: readonly TimelineMoment[], committed: TimelineMoment): StatelessWindow | null {
  const { scene } = lookout;
  const times = addresses.flatMap(({ atMs }) => atMs ?? []);
  if (times.length < addresses.length || times.length === 0 || committed.atMs === null) return null;
  const fromMs = Math.max(...times);
  const untilMs = committed.atMs;
  const within = (atMs: number) => atMs >= fromMs && atMs <= untilMs;
  const met = passagesHere(lookout).filter(({ enteredAtMs }) => within(enteredAtMs));
  const count = (...fates: readonly (typeof met)[number]["fate"][]) => met.filter(({ fate }) => fates.includes(fate)).length;
  const seen = passagesOf(scene, scene.transition.to) !== undefined;
  return {
    fromMs,
    untilMs,
    lengthMs: untilMs - fromMs,
    errorMs: Math.max(committed.errorMs, ...addresses.map(({ errorMs }) => errorMs)),
    packets: seen ? { entered: met.length, forwarded: count("forwarded", "late"), dropped: count("dropped", "changed"), answered: count("answered") } : null,
  };
}

interface Order {
  readonly step: TimelineStep;
  readonly subject?: string;
  /** What has to be there first: the earliest of these moments. */
  readonly first: TimelineStep;
  readonly firstSubject?: string;
  readonly why: string;
}

/**
 * Says of a moment that it was too early, when it was so by more than the errors of both clocks: then a clock is off, or the pair did what it must
 * not do. Only orders that a working pair cannot have otherwise, so that nothing healthy is called out.
 */
function withOrder({ topology, transition }: Scene, moments: readonly TimelineMoment[]): TimelineMoment[] {
  const bridgeOf = (endpoint: string) => topology.virtualAddresses.find(({ neighbour }) => neighbour === endpoint)?.bridge;
  const [client, server] = [bridgeOf(topology.client), bridgeOf(topology.server)];
  const orders: Order[] = [
    ...(["forward", "reverse"] as const).map((subject): Order => ({ step: "first-forwarded", subject, first: "master", why: `${transition.to} called itself MASTER` })),
    ...(client === undefined ? [] : [{ step: "first-forwarded", subject: "forward", first: "announced", firstSubject: client, why: `anything on ${client} led there` } as const]),
    ...(server === undefined ? [] : [{ step: "first-forwarded", subject: "reverse", first: "announced", firstSubject: server, why: `anything on ${server} led there` } as const]),
    { step: "first-advert", first: "master", why: `${transition.to} called itself MASTER` },
  ];
  return moments.map((moment) => {
    const notes = orders
      .filter(({ step, subject }) => moment.step === step && (subject === undefined || moment.subject === subject))
      .flatMap(({ first, firstSubject, why }) => {
        const earlier = moments.filter((each) => each.step === first && (firstSubject === undefined || each.subject === firstSubject) && each.atMs !== null);
        if (moment.atMs === null || earlier.length === 0) return [];
        const slackMs = moment.errorMs + Math.max(...earlier.map(({ errorMs }) => errorMs)) + (first === "master" ? loggedLateMs : 0);
        const earlyMs = Math.min(...earlier.map(({ atMs }) => atMs ?? Number.POSITIVE_INFINITY)) - moment.atMs;
        return earlyMs > slackMs ? [`${ms(earlyMs)} before ${why}`] : [];
      });
    return notes.length === 0 ? moment : { ...moment, detail: `${moment.detail}; out of order: ${notes.join(", ")}` };
  });
}

/** How long after the deed an emulated machine may log it. */
const loggedLateMs = 50;
