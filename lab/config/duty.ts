import type { VrrpInstance } from "./keepalived.ts";
import type { NodeConfig, PairConfig } from "./pair.ts";

/** keepalived's defaults (keepalived.conf(5), 2.2). */
export const vrrpDefaults = { version: 2, priority: 100, advertSeconds: 1, garpRepeat: 5 } as const;

/** When one node takes over, by its keepalived.conf. */
export interface NodeDuty {
  readonly machine: string;
  /** The lowest of its instances': with a sync group, all move when one does. */
  readonly priority: number;
  readonly advertSeconds: number;
  /** How long it waits, as backup, after the last advert of the other node: RFC 5798, 6.1. The longest of its instances'. */
  readonly masterDownSeconds: number;
  /** It takes over from an active node of lower priority. */
  readonly preempts: boolean;
  /** From the other's adverts of lower priority to its taking over. */
  readonly preemptDelaySeconds: number;
  /** From keepalived's start to its first instance. */
  readonly startupDelaySeconds: number;
}

/** Who of the pair is to be active, by its files. */
export interface Duty {
  /** In the order of the pair's nodes; a node without instances has none. */
  readonly nodes: readonly NodeDuty[];
  /** The machine of the higher priority; undefined where they are equal, or not the same in all instances. */
  readonly preferred: string | undefined;
  /** The preferred node takes the duty back when it returns. */
  readonly preempts: boolean;
}

/** The instance's VRRP version: its own, else the global one. */
export function versionOf({ keepalived }: NodeConfig, { version }: VrrpInstance): number {
  return version?.value ?? keepalived?.globals.vrrpVersion?.value ?? vrrpDefaults.version;
}

/** The instance's priority; 100 where none is written. */
export function priorityOf({ priority }: VrrpInstance): number {
  return priority?.value ?? vrrpDefaults.priority;
}

/** Seconds between adverts; 1 where none is written. */
export function advertOf({ advertInterval }: VrrpInstance): number {
  return advertInterval?.value ?? vrrpDefaults.advertSeconds;
}

/** The other node's instance that speaks with this one: of the same interface and identifier, or of the same name. */
export function partnerOf({ keepalived }: Pick<NodeConfig, "keepalived">, instance: VrrpInstance): VrrpInstance | undefined {
  const others = keepalived?.instances ?? [];
  return (
    others.find((other) => other.interface?.value === instance.interface?.value && other.virtualRouterId?.value === instance.virtualRouterId?.value) ??
    others.find(({ name }) => name === instance.name) ??
    others.find((other) => other.virtualIps.some(({ address }) => instance.virtualIps.some((own) => own.address === address)))
  );
}

/**
 * Master_Down_Interval in seconds (RFC 5798, 6.1; RFC 3768, 6.1 for version 2): three adverts and the skew. In version 3 the interval is the one that
 * the active node's adverts tell, and the skew a part of it; in version 2 it is the node's own, and the skew a part of a second.
 */
export function masterDownSeconds(version: number, priority: number, ownAdvert: number, activeAdvert: number): number {
  const interval = version === 3 ? activeAdvert : ownAdvert;
  return 3 * interval + ((256 - priority) / 256) * (version === 3 ? interval : 1);
}

/** Who is to be active, and how soon nodes take over, by the files alone. */
export function dutyOf({ nodes }: Pick<PairConfig, "nodes">): Duty {
  const duties = nodes.flatMap((node) => {
    const other = nodes.find((candidate) => candidate !== node);
    const duty = nodeDuty(node, other);
    return duty === undefined ? [] : [duty];
  });
  const preferred = preferredOf(nodes);
  return { nodes: duties, preferred, preempts: duties.find(({ machine }) => machine === preferred)?.preempts ?? false };
}

function nodeDuty(node: NodeConfig, other: NodeConfig | undefined): NodeDuty | undefined {
  const instances = node.keepalived?.instances ?? [];
  if (instances.length === 0) return undefined;
  const down = instances.map((instance) => {
    const partner = other === undefined ? undefined : partnerOf(other, instance);
    return masterDownSeconds(versionOf(node, instance), priorityOf(instance), advertOf(instance), advertOf(partner ?? instance));
  });
  return {
    machine: node.machine,
    priority: Math.min(...instances.map(priorityOf)),
    advertSeconds: Math.max(...instances.map(advertOf)),
    masterDownSeconds: Math.max(...down),
    // keepalived ignores nopreempt in an instance whose initial state is MASTER.
    preempts: instances.every(({ nopreempt, state }) => nopreempt === undefined || state?.value === "MASTER"),
    preemptDelaySeconds: Math.max(0, ...instances.map(({ preemptDelay, state }) => (state?.value === "MASTER" ? 0 : (preemptDelay?.value ?? 0)))),
    startupDelaySeconds: node.keepalived?.globals.startupDelay?.value ?? 0,
  };
}

function preferredOf([first, second]: readonly NodeConfig[]): string | undefined {
  if (first === undefined || second === undefined) return undefined;
  const leads = (first.keepalived?.instances ?? []).flatMap((instance) => {
    const partner = partnerOf(second, instance);
    return partner === undefined ? [] : [Math.sign(priorityOf(instance) - priorityOf(partner))];
  });
  if (leads.length === 0) return undefined;
  if (leads.every((lead) => lead > 0)) return first.machine;
  return leads.every((lead) => lead < 0) ? second.machine : undefined;
}
