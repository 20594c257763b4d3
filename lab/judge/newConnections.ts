import type { Probe } from "../evidence/evidence.ts";
import { conclude, type Check } from "./scene.ts";

/** Moments at which each question must have been put. A forged ACK during the takeover is judged when there is one. */
const required: Record<Probe["id"], readonly Probe["moment"][]> = {
  "allowed-service": ["before", "after"],
  "denied-service": ["before", "during", "after"],
  "forged-ack": ["before", "after"],
};

/** The policy before, during and after: the allowed service takes new connections, the denied one never, and no forged segment reaches the server. */
export const newConnections: Check = (scene) => {
  const { probes } = scene.transition;
  const missing = Object.entries(required).flatMap(([id, moments]) =>
    moments.filter((moment) => !probes.some((probe) => probe.id === id && probe.moment === moment)).map((moment) => `no ${id} probe ${moment} the fault`),
  );
  missing.push(...probes.flatMap((probe) => vacuous(probe, probes)));
  const wrong = probes.flatMap(faultOf);
  return conclude(scene, "new-connections", {
    measured: probes.length === 0 ? "no probes" : probes.map(text).join("; "),
    allowed: "allowed service answered before and after; denied service never answered; 0 forged segments through",
    meaning: "new connections work where the policy allows them, and nowhere else, during the takeover too",
    wrong,
    missing,
    evidence: ["evidence.json"],
  });
};

function text(probe: Probe): string {
  if (probe.id === "forged-ack") return `${probe.id} ${probe.moment}: ${probe.packetsThrough} of ${probe.packetsSent} through`;
  return `${probe.id} ${probe.moment}: ${probe.outcome}`;
}

/**
 * A probe that proves nothing: it sent nothing, or its capture saw nothing of a connection that was there.
 * That the client can connect at all is what the allowed service shows, and by the capture on the server; the server's own questions have another.
 * Where the allowed service was not answered either, nobody forwards: no connection of the client's could be there, which is the pair's fault and judged as that.
 */
function vacuous(probe: Probe, probes: readonly Probe[]): string[] {
  const name = `${probe.id} ${probe.moment} the fault`;
  if (probe.packetsSent === 0) return [`${name} sent nothing`];
  if (probe.id !== "forged-ack" && probe.from !== "server") return [];
  // In a takeover nobody may forward for a while; only one that nobody ever ends is the pair's fault.
  const judgedAt = probe.moment === "during" ? "after" : probe.moment;
  const nobodyForwards = probe.id === "forged-ack" && probes.some(({ id, moment, outcome }) => id === "allowed-service" && moment === judgedAt && outcome !== "answered");
  return probe.capturedControl === 0 && !nobodyForwards ? [`the capture of ${name} saw nothing of a known-good connection`] : [];
}

function faultOf(probe: Probe): string[] {
  const when = `${probe.moment} the fault`;
  // While nobody forwards, an allowed service may be silent: the outage's bound judges that.
  if (probe.id === "allowed-service") return probe.outcome === "answered" || probe.moment === "during" ? [] : [`${probe.target} (allowed) ${when}: ${probe.outcome} after ${Math.round(probe.tookMs)} ms`];
  const through = probe.packetsThrough > 0 ? [`${probe.packetsThrough} packets of ${probe.id} reached ${probe.target} ${when}`] : [];
  return probe.id === "denied-service" && probe.outcome === "answered" ? [`${probe.target} (denied) answered ${when}`, ...through] : through;
}
