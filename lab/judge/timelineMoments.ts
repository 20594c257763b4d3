import type { TimelineMoment } from "../evidence/timeline.ts";
import type { VirtualAddress } from "../topology/topology.ts";
import { toldMoment, unseen, type Lookout } from "./lookout.ts";
import { passagesOf, type Passage } from "./passages.ts";

/** The last advert of the firewall that had the duty, on each bridge, and the first of the survivor. */
export function advertMoments(lookout: Lookout): TimelineMoment[] {
  const { scene, captureFile, noCapture, fromMs } = lookout;
  const { from, to } = scene.transition;
  return lookout.bridges.flatMap((bridge) => {
    if (noCapture !== undefined) return [unseen("last-advert", bridge, noCapture, captureFile), unseen("first-advert", bridge, noCapture, captureFile)];
    const last = lookout.adverts(from, bridge).at(-1);
    const first = lookout.adverts(to, bridge).find(({ atMs }) => atMs >= fromMs);
    const overlapMs = last !== undefined && first !== undefined ? last.atMs - first.atMs : 0;
    return [
      last === undefined
        ? unseen("last-advert", bridge, `no advert of ${from} on ${bridge} since the look before`, captureFile)
        : captured("last-advert", bridge, last.atMs, `${from}, priority ${last.body.priority}${overlapMs > overlapToldMs ? `; ${overlapMs.toFixed(0)} ms after the first of ${to}: both were master` : ""}`, captureFile),
      first === undefined
        ? unseen("first-advert", bridge, `no advert of ${to} on ${bridge} after the fault`, captureFile)
        : captured("first-advert", bridge, first.atMs, `${to}, priority ${first.body.priority}`, captureFile),
    ];
  });
}

/** Adverts of both firewalls may cross on their way; a firewall that hears a higher priority gives up within an emulated machine's reaction. */
const overlapToldMs = 100;

function captured(step: TimelineMoment["step"], subject: string, atMs: number, detail: string, evidence: string): TimelineMoment {
  return { step, subject, atMs, errorMs: 0, detail, evidence };
}

/** The survivor's own word, for each VRRP instance that it is known to have. */
export function masterMoments(lookout: Lookout): TimelineMoment[] {
  const { transition } = lookout.scene;
  const { to } = transition;
  const master = (instance?: string) => lookout.events("vrrp-state", to, (event) => event.state === "MASTER" && (instance === undefined || event.instance === instance));
  const viewed = lookout.instances(to).map(({ name }) => name);
  const instances = [...new Set([...viewed, ...master().seen.map(({ instance }) => instance)])];
  return (instances.length > 0 ? instances : [to]).map((instance) =>
    toldMoment("master", instance, instances.length > 0 ? master(instance) : master(), {
      detail: ({ text }) => text,
      silence: lookout.silenceOf(to, `the journal of ${to} does not say that it became MASTER`),
      evidence: journalOf(lookout),
    }),
  );
}

function journalOf({ scene: { transition } }: Lookout): string {
  return `journals/${transition.after.moment}/${transition.to}.txt`;
}

/** When the kernel gave the survivor each virtual address. */
export function addressMoments(lookout: Lookout): TimelineMoment[] {
  const { to, after } = lookout.scene.transition;
  const views = after.firewalls[to]?.addresses;
  return lookout.virtualAddresses.map(({ address, nic }) => {
    const held = views?.ok === true && views.data.some((own) => own.address === address);
    return toldMoment("address-up", address, lookout.events("address", to, (event) => event.change === "added" && event.address === address), {
      detail: (event) => (event.kind === "address" && event.nic !== nic ? `on ${event.nic} of ${to}` : `on ${nic} of ${to}`),
      silence: held ? `not told when it came; it was there when everything was looked at after the fault` : `${to} did not tell that it got it`,
      evidence: views?.source ?? "evidence.json",
    });
  });
}

/** The first ARP or neighbour advertisement on each bridge that leads its virtual address to the survivor, and when the bridge itself leads there. */
export function announcementMoments(lookout: Lookout): TimelineMoment[] {
  return lookout.virtualAddresses.flatMap((virtual) => {
    const announced = announcedMoment(lookout, virtual);
    return [announced.moment, forwardingMoment(lookout, virtual, announced)];
  });
}

interface Announced {
  readonly moment: TimelineMoment;
  readonly mac: string | undefined;
}

function announcedMoment(lookout: Lookout, { bridge, address }: VirtualAddress): Announced {
  const { captureFile, noCapture, fromMs, scene } = lookout;
  const { to } = scene.transition;
  const ownMac = lookout.port(bridge)?.nic.mac;
  if (noCapture !== undefined) return { moment: unseen("announced", bridge, noCapture, captureFile), mac: ownMac };
  // A virtual router's MAC is the old master's until the survivor speaks.
  const survivorSpeaksMs = lookout.adverts(to, bridge).find(({ atMs }) => atMs >= fromMs)?.atMs ?? fromMs;
  const first = lookout.announcements(bridge, address, fromMs).find(({ mac, atMs }) => mac === ownMac || atMs >= survivorSpeaksMs);
  if (first === undefined) return { moment: unseen("announced", bridge, `no ${address.includes(":") ? "neighbour advertisement" : "ARP"} on ${bridge} led ${address} to ${to}`, captureFile), mac: ownMac };
  return { moment: captured("announced", bridge, first.atMs, `${address} is at ${first.mac} (${first.by})`, captureFile), mac: first.mac };
}

function forwardingMoment(lookout: Lookout, { bridge }: VirtualAddress, { moment: announced, mac }: Announced): TimelineMoment {
  const { transition } = lookout.scene;
  const step = "forwarding-moved";
  const port = lookout.port(bridge);
  const before = transition.before.forwarding[bridge];
  if (port === undefined || mac === undefined) return unseen(step, bridge, `${transition.to} has no NIC on ${bridge}`, "evidence.json");
  const changes = lookout.events("forwarding", bridge, (event) => event.mac === mac);
  const learned = changes.seen.find((event) => event.change === "learned" && event.port === port.tap);
  if (learned !== undefined) return { step, subject: bridge, atMs: learned.hostMs, errorMs: learned.errorMs, detail: `${bridge} learned that ${mac} is at ${port.tap}`, evidence: learned.source };
  const leadsThere = (look: typeof before) => look?.ok === true && look.data.some((entry) => entry.mac === mac && entry.port === port.tap);
  const after = transition.after.forwarding[bridge];
  const source = before?.source ?? "evidence.json";
  if (!leadsThere(before)) {
    return leadsThere(after)
      ? unseen(step, bridge, `not told when ${bridge} learned that ${mac} is at ${port.tap}; it knew when everything was looked at after the fault`, after?.source ?? source)
      : unseen(step, bridge, `${bridge} was not seen to lead ${mac} to ${port.tap}`, after?.source ?? source);
  }
  const knew = `${bridge} knew all along that ${mac} is at ${port.tap}`;
  if (announced.atMs === null) return unseen(step, bridge, `${knew}; frames for the virtual address go there from its announcement on, which was not seen: ${announced.detail}`, source);
  return { step, subject: bridge, atMs: announced.atMs, errorMs: 0, detail: `${knew}: from its announcement on, frames for the virtual address go there`, evidence: announced.evidence };
}

/** When conntrackd had put the replicated states into the survivor's kernel. */
export function committedMoment(lookout: Lookout): TimelineMoment {
  const { to } = lookout.scene.transition;
  const ended = lookout.events("commit", to, ({ stage }) => stage === "ended");
  const began = lookout.events("commit", to, ({ stage }) => stage === "began").seen[0];
  const more = ended.seen.length > 1 ? `; ${ended.seen.length} commits in all, this is the first` : "";
  return toldMoment("committed", to, ended, {
    detail: (event) => {
      const entries = event.kind === "commit" && event.entries !== undefined ? `${event.entries} new entries` : "entries not told";
      return `${entries}${began !== undefined && began.hostMs <= event.hostMs ? `, begun ${(event.hostMs - began.hostMs).toFixed(1)} ms before` : ""}${more}`;
    },
    silence: began === undefined ? lookout.silenceOf(to, `the journal of ${to} tells of no commit`) : `the journal of ${to} tells that a commit began, and not that it ended`,
    evidence: began?.source ?? journalOf(lookout),
  });
}

/** The first packet of a flow that went in and out of the survivor, each way. */
export function forwardedMoments(lookout: Lookout): TimelineMoment[] {
  const { scene, captureFile, noCapture } = lookout;
  const { to } = scene.transition;
  const passages = passagesHere(lookout);
  return (["forward", "reverse"] as const).map((direction) => {
    if (noCapture !== undefined) return unseen("first-forwarded", direction, noCapture, captureFile);
    const first = firstForwarded(passages, direction);
    if (first?.leftAtMs === undefined) return unseen("first-forwarded", direction, `no packet of a flow went through ${to} in this direction`, captureFile);
    return captured("first-forwarded", direction, first.leftAtMs, `${first.flowId}, ${(first.leftAtMs - first.enteredAtMs).toFixed(1)} ms after it had entered ${to}`, captureFile);
  });
}

/** The packets of flows that went into the survivor in this transition, in the order of their times. */
export function passagesHere(lookout: Lookout): readonly Passage[] {
  const { scene, fromMs, untilMs } = lookout;
  return passagesOf(scene, scene.transition.to)?.passages.filter(({ enteredAtMs }) => enteredAtMs >= fromMs && enteredAtMs <= untilMs) ?? [];
}

/** Also a packet that was held back for long shows that the way is open. */
const cameOut: ReadonlySet<Passage["fate"]> = new Set(["forwarded", "late"]);

/** When a firewall last let a flow's packet out in a direction, before a moment. Undefined when it never did. */
export function lastForwarded(passages: readonly Passage[], direction: Passage["direction"], beforeMs: number): number | undefined {
  let last: number | undefined;
  for (const { direction: own, fate, leftAtMs } of passages) {
    if (own === direction && cameOut.has(fate) && leftAtMs !== undefined && leftAtMs < beforeMs && leftAtMs > (last ?? Number.NEGATIVE_INFINITY)) last = leftAtMs;
  }
  return last;
}

function firstForwarded(passages: readonly Passage[], direction: Passage["direction"]): Passage | undefined {
  let first: Passage | undefined;
  for (const passage of passages) {
    if (passage.direction !== direction || !cameOut.has(passage.fate) || passage.leftAtMs === undefined) continue;
    if (first?.leftAtMs === undefined || passage.leftAtMs < first.leftAtMs) first = passage;
  }
  return first;
}
