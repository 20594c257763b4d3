/** Where packets meet rules: the hooks of netfilter that a firewall's policy uses. */
export const hooks = ["prerouting", "input", "forward", "output", "postrouting"] as const;
export type Hook = (typeof hooks)[number];

/** What rules ask of a packet, of all that they may ask. */
export type Field = "iifname" | "oifname" | "family" | "protocol" | "saddr" | "daddr" | "sport" | "dport" | "ctState";

/** How connection tracking takes a packet (nft(8), iptables-extensions(8)). */
export type CtState = "new" | "established" | "related" | "invalid" | "untracked";

export type TcpFlag = "fin" | "syn" | "rst" | "psh" | "ack" | "urg" | "ecn" | "cwr";

/** What a field may be: a text, where `*` at its end stands for any rest; numbers, both ends included; addresses of one family, both ends included. */
export type Value =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "numbers"; readonly first: number; readonly last: number }
  | { readonly kind: "addresses"; readonly version: 4 | 6; readonly first: bigint; readonly last: bigint }
  | { readonly kind: "any" };

/** A condition of a rule. */
export type Match =
  /** Some tuple fits, field by field. Incomplete where the kernel holds values that are not told, or that change. */
  | { readonly kind: "in"; readonly fields: readonly Field[]; readonly tuples: readonly (readonly Value[])[]; readonly complete: boolean; readonly negated: boolean }
  /** Of the flags in `mask`, just those in `set` are set. */
  | { readonly kind: "flags"; readonly mask: readonly TcpFlag[]; readonly set: readonly TcpFlag[]; readonly negated: boolean }
  | { readonly kind: "some-flag"; readonly of: readonly TcpFlag[]; readonly negated: boolean }
  /** What this model does not follow: a limit, a set that changes, a mark. */
  | { readonly kind: "untold"; readonly text: string };

/** What a rule does with a packet that meets its conditions. */
export type Action =
  | { readonly kind: "accept" | "drop" | "return" | "notrack" | "masquerade" | "untold" }
  | { readonly kind: "reject"; readonly how: string }
  | { readonly kind: "jump" | "goto"; readonly chain: string }
  /** Undefined where they are not told: computed, or out of a map that changes. */
  | { readonly kind: "snat" | "dnat"; readonly addresses: readonly string[] | undefined }
  /** A verdict for each tuple; a packet that fits none goes on. */
  | { readonly kind: "map"; readonly fields: readonly Field[]; readonly entries: readonly { readonly tuple: readonly Value[]; readonly action: Action | undefined }[]; readonly complete: boolean };

export interface Rule {
  readonly matches: readonly Match[];
  /** In their order; one that lets the packet go on is followed by the next. */
  readonly actions: readonly Action[];
  /** The rule in its tool's words, without counters, logs, comments and handles: equal rules have equal texts. */
  readonly text: string;
  readonly comment: string | undefined;
}

/** A chain that the kernel calls at a hook. */
export interface Base {
  readonly type: "filter" | "nat";
  readonly hook: Hook;
  readonly priority: number;
  readonly policy: "accept" | "drop";
}

export interface Chain {
  /** `inet filter input`: family, table, name. Iptables' families are `ip` and `ip6`. */
  readonly id: string;
  readonly family: "ip" | "ip6" | "inet";
  readonly table: string;
  readonly name: string;
  /** Who made it, and how its rules are written. */
  readonly tool: "nft" | "iptables";
  readonly base: Base | undefined;
  readonly rules: readonly Rule[];
}

/** What a guest's kernel has of packet rules when all that loads rules has run: those that see IPv4 and IPv6 packets. */
export interface Ruleset {
  readonly machine: string;
  readonly chains: readonly Chain[];
}

/** The name by which rules of a chain's table jump to another. */
export function chainId(family: string, table: string, name: string): string {
  return `${family} ${table} ${name}`;
}
