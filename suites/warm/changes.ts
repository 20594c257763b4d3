import type { Lab } from "../../lab/run/lab.ts";
import type { Kind } from "./facts.ts";

/** Something that is changed on one machine of a lab that was equal to another. */
interface Change {
  readonly machine: string;
  readonly command: string;
  /** The facts that become others by it, by kind: all of them. */
  readonly facts: Partial<Readonly<Record<Kind, readonly string[]>>>;
}

/** One change of each kind, as small as that kind allows: what a change brings about in other kinds is named. */
export const changes: readonly Change[] = [
  { machine: "client", command: "chmod 0600 /etc/issue", facts: { files: ["/etc/issue"] } },
  { machine: "client", command: "ip route add unreachable 198.51.100.0/24", facts: { routes: ["main unreachable 198.51.100.0/24 no device"] } },
  { machine: "client", command: "ip rule add to 203.0.113.0/24 priority 100 lookup main", facts: { rules: ['IPv4 {"priority":100,"src":"all","dst":"203.0.113.0","dstlen":24,"table":"main"}'] } },
  { machine: "client", command: "sysctl -q -w net.core.somaxconn=77", facts: { sysctls: ["net.core.somaxconn"] } },
  { machine: "client", command: "modprobe dummy numdummies=0", facts: { modules: ["dummy"] } },
  {
    machine: "client",
    command: "setsid socat TCP4-LISTEN:4242,bind=127.0.0.1 STDOUT </dev/null >/dev/null 2>&1 & until ss -Hlnt | grep -q :4242; do sleep 0.1; done",
    facts: { sockets: ["tcp 127.0.0.1:4242 of socat"] },
  },
  { machine: "client", command: "usermod --comment another nobody", facts: { users: ["nobody"], files: ["/etc/passwd", "/etc/passwd-"] } },
  { machine: "omarine", command: "hostname another", facts: { hostname: ["hostname"] } },
  {
    machine: "omarine",
    command: "ip addr add 192.0.2.1/32 dev lo",
    facts: { addresses: ["lo 192.0.2.1/32"], routes: ["local local 192.0.2.1 lo"] },
  },
  { machine: "omarine", command: "ip link set dev eth0 txqueuelen 77", facts: { links: ["eth0"] } },
  { machine: "omarine", command: "systemctl stop overlay.service", facts: { units: ["overlay.service"] } },
  { machine: "omarine", command: "systemctl set-environment ANOTHER=yes", facts: { manager: ["Environment"] } },
  {
    machine: "omarine",
    command: "mkdir -p /run/systemd/journald.conf.d && echo '[Journal]\nMaxLevelStore=notice' >/run/systemd/journald.conf.d/99.conf && systemctl restart systemd-journald.service",
    facts: { journal: ["info"] },
  },
  { machine: "fw-1", command: "nft add table inet another", facts: { ruleset: ["table inet another"] } },
  // The backup: its end moves no address.
  { machine: "fw-2", command: "systemctl stop keepalived.service", facts: { vrrp: ["inside", "outside"], units: ["keepalived.service"] } },
  {
    machine: "fw-2",
    command: "systemctl stop conntrackd.service",
    facts: {
      replication: ["channel", "external", "internal", "network"],
      units: ["conntrackd.service"],
      sockets: ["udp 0.0.0.0:(any) of conntrackd", "udp 0.0.0.0:3780 of conntrackd"],
    },
  },
];

/** Makes all changes. @throws Failure when one cannot be made. */
export async function change(lab: Lab): Promise<void> {
  const machines = [...new Set(changes.map(({ machine }) => machine))];
  await Promise.all(
    machines.map((name) => {
      const commands = changes.filter(({ machine }) => machine === name).map(({ command }) => command);
      return lab.machine(name).shell.must("sh -eu", { input: commands.join("\n") });
    }),
  );
}

/** What the changes make different in a kind of facts, by machine. */
export function changed(kind: Kind): Record<string, string[]> {
  const whats: Record<string, string[]> = {};
  for (const { machine, facts } of changes) {
    const more = facts[kind] ?? [];
    if (more.length > 0) whats[machine] = [...(whats[machine] ?? []), ...more].sort();
  }
  return whats;
}
