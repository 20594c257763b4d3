import { addressNumber } from "./address.ts";
import { chainId, type Action, type Chain, type CtState, type Field, type Hook, type Match, type Rule, type Ruleset, type TcpFlag, type Value } from "./ruleset.ts";

/** A packet as rules see it. What is undefined may be anything; an interface that is null is none: packets of the host itself come from none. */
export interface RulePacket {
  readonly family: "ip" | "ip6";
  /** IANA number. */
  readonly protocol: number;
  readonly iifname?: string | null | undefined;
  readonly oifname?: string | null | undefined;
  readonly saddr?: string | undefined;
  readonly daddr?: string | undefined;
  readonly sport?: number | undefined;
  readonly dport?: number | undefined;
  readonly ctState?: CtState | undefined;
  readonly tcpFlags?: readonly TcpFlag[] | undefined;
}

/** A way in which a packet may end: by a rule, or, without one, by its chain's policy. */
export interface Outcome {
  readonly action: Action;
  readonly chain: Chain;
  readonly rule: Rule | undefined;
}

export interface PacketVerdict {
  /** Unknown where it depends on something that the ruleset does not tell, or the packet leaves open. */
  readonly verdict: "accept" | "drop" | "unknown";
  /** Every way in which it may end, in the order of the chains; of accepting chains too, as each of a hook's chains has its say. */
  readonly outcomes: readonly Outcome[];
}

type Ternary = boolean | undefined;

/** Where a chain may lead: outcomes that end the packet's way, and whether it may come out at its end. */
interface Course {
  readonly ends: readonly Outcome[];
  readonly falls: boolean;
}

/** Netfilter's own limit of nested jumps (NFT_JUMP_STACK_SIZE in include/net/netfilter/nf_tables.h). */
const deepestJump = 16;

/** Priority at which connection tracking looks at a packet (NF_IP_PRI_CONNTRACK): a `notrack` has to come before. */
const conntrackPriority = -200;

/** Whether a packet passes a hook's filters. Each base chain has its say, lowest priority first: accepted by one, it goes on to the next. */
export function verdictOf(ruleset: Ruleset, packet: RulePacket, hook: Hook): PacketVerdict {
  const outcomes: Outcome[] = [];
  let mayDrop = false;
  for (const chain of baseChains(ruleset, packet, hook, "filter")) {
    const ends = outcomesOf(ruleset, chain, packet, isVerdict);
    outcomes.push(...ends);
    const drops = ends.filter(({ action }) => action.kind === "drop" || action.kind === "reject");
    if (drops.length === ends.length) return { verdict: "drop", outcomes };
    mayDrop ||= drops.length > 0 || ends.some(({ action }) => action.kind === "untold");
  }
  return { verdict: mayDrop ? "unknown" : "accept", outcomes };
}

/** Whether rules take a packet from connection tracking before a hook sees it; undefined when that is not told. */
export function isUntracked(ruleset: Ruleset, packet: RulePacket, hook: "input" | "forward" | "output"): boolean | undefined {
  const early = hook === "output" ? hook : "prerouting";
  // Routing has not chosen where it leaves.
  const seen: RulePacket = { ...packet, ctState: undefined, ...(early === "prerouting" && { oifname: null }) };
  let may = false;
  for (const chain of baseChains(ruleset, seen, early, "filter").filter(({ base }) => (base?.priority ?? 0) < conntrackPriority)) {
    const ends = outcomesOf(ruleset, chain, seen, (action) => action.kind === "notrack" || isVerdict(action));
    if (ends.every(({ action }) => action.kind === "notrack")) return true;
    may ||= ends.some(({ action }) => action.kind === "notrack" || action.kind === "untold");
  }
  return may ? undefined : false;
}

/** How a connection's first packet may be translated as it leaves: outcomes of kind `snat` and `masquerade`, or `accept` for not at all. */
export function sourceTranslations(ruleset: Ruleset, packet: RulePacket): Outcome[] {
  const seen: RulePacket = { ...packet, ctState: "new" };
  for (const chain of baseChains(ruleset, seen, "postrouting", "nat")) {
    const ends = outcomesOf(ruleset, chain, seen, (action) => action.kind === "snat" || action.kind === "masquerade" || isVerdict(action));
    // The first chain that translates has the last word: the others see a connection whose translation is set.
    if (ends.some(({ action }) => action.kind !== "accept")) return ends;
  }
  return [];
}

function isVerdict({ kind }: Action): boolean {
  return kind === "accept" || kind === "drop" || kind === "reject" || kind === "untold";
}

function baseChains({ chains }: Ruleset, { family }: RulePacket, hook: Hook, type: "filter" | "nat"): Chain[] {
  return chains.filter(({ base, family: of }) => base?.hook === hook && base.type === type && (of === family || of === "inet")).sort((a, b) => (a.base?.priority ?? 0) - (b.base?.priority ?? 0));
}

/** All ways in which a base chain may end a packet's way: never empty. */
function outcomesOf(ruleset: Ruleset, chain: Chain, packet: RulePacket, ends: (action: Action) => boolean): Outcome[] {
  const course = new Walk(ruleset, packet, ends).through(chain, 0);
  return course.falls ? [...course.ends, { action: { kind: chain.base?.policy ?? "accept" }, chain, rule: undefined }] : [...course.ends];
}

class Walk {
  readonly #chains: ReadonlyMap<string, Chain>;
  readonly #packet: RulePacket;
  readonly #ends: (action: Action) => boolean;
  /** A chain does the same to a packet wherever it is called from. */
  readonly #walked = new Map<string, Course>();

  constructor(ruleset: Ruleset, packet: RulePacket, ends: (action: Action) => boolean) {
    this.#chains = new Map(ruleset.chains.map((chain) => [chain.id, chain]));
    this.#packet = packet;
    this.#ends = ends;
  }

  through(chain: Chain, depth: number): Course {
    const known = this.#walked.get(chain.id);
    if (known !== undefined) return known;
    if (depth > deepestJump) return { ends: [{ action: { kind: "untold" }, chain, rule: undefined }], falls: true };
    const course = this.#walk(chain, depth);
    this.#walked.set(chain.id, course);
    return course;
  }

  #walk(chain: Chain, depth: number): Course {
    const ends: Outcome[] = [];
    let returns = false;
    for (const rule of chain.rules) {
      const meets = allOf(rule.matches.map((match) => meetsMatch(match, this.#packet)));
      if (meets === false) continue;
      const course = this.#acted(chain, rule, rule.actions, depth);
      ends.push(...course.ends);
      returns ||= course.returns;
      if (meets === true && !course.falls) return { ends, falls: returns };
    }
    return { ends, falls: true };
  }

  /** `falls`: to the next rule; `returns`: to the chain's caller. */
  #acted(chain: Chain, rule: Rule, actions: readonly Action[], depth: number): Course & { readonly returns: boolean } {
    const ends: Outcome[] = [];
    let returns = false;
    for (const action of actions) {
      if (this.#ends(action)) {
        ends.push({ action, chain, rule });
        // What it does is not told: it may as well go on.
        if (action.kind !== "untold") return { ends, falls: false, returns };
      } else if (action.kind === "return") {
        return { ends, falls: false, returns: true };
      } else if (action.kind === "jump" || action.kind === "goto") {
        const target = this.#chains.get(chainId(chain.family, chain.table, action.chain));
        const course: Course = target === undefined ? { ends: [{ action: { kind: "untold" }, chain, rule }], falls: true } : this.through(target, depth + 1);
        ends.push(...course.ends);
        if (action.kind === "goto") return { ends, falls: false, returns: returns || course.falls };
        if (!course.falls) return { ends, falls: false, returns };
      } else if (action.kind === "map") {
        const course = this.#mapped(chain, rule, action, depth);
        ends.push(...course.ends);
        returns ||= course.returns;
        if (!course.falls) return { ends, falls: false, returns };
      }
    }
    return { ends, falls: true, returns };
  }

  #mapped(chain: Chain, rule: Rule, map: Extract<Action, { kind: "map" }>, depth: number): Course & { readonly returns: boolean } {
    const ends: Outcome[] = map.complete ? [] : [{ action: { kind: "untold" }, chain, rule }];
    let returns = false;
    let falls = false;
    for (const { tuple, action } of map.entries) {
      const fits = allOf(tuple.map((value, index) => fitsField(map.fields[index], value, this.#packet)));
      if (fits === false) continue;
      const course = this.#acted(chain, rule, action === undefined ? [] : [action], depth);
      ends.push(...course.ends);
      returns ||= course.returns;
      falls ||= course.falls;
      if (fits === true) return { ends, falls, returns };
    }
    return { ends, falls: true, returns };
  }
}

function allOf(answers: readonly Ternary[]): Ternary {
  if (answers.includes(false)) return false;
  return answers.includes(undefined) ? undefined : true;
}

function meetsMatch(match: Match, packet: RulePacket): Ternary {
  switch (match.kind) {
    case "untold":
      return undefined;
    case "flags":
      if (packet.tcpFlags === undefined) return undefined;
      return match.mask.every((flag) => packet.tcpFlags?.includes(flag) === match.set.includes(flag)) !== match.negated;
    case "some-flag":
      if (packet.tcpFlags === undefined) return undefined;
      return match.of.some((flag) => packet.tcpFlags?.includes(flag)) !== match.negated;
    case "in": {
      // A packet that lacks what is asked for meets neither the question nor its contrary.
      if (match.fields.some((field) => lacks(field, packet))) return false;
      const answers = match.tuples.map((tuple) => allOf(tuple.map((value, index) => fitsField(match.fields[index], value, packet))));
      const found = answers.includes(true) ? true : answers.includes(undefined) || !match.complete ? undefined : false;
      return found === undefined ? undefined : found !== match.negated;
    }
  }
}

function lacks(field: Field, packet: RulePacket): boolean {
  return (field === "iifname" || field === "oifname") && packet[field] === null;
}

function fitsField(field: Field | undefined, value: Value, packet: RulePacket): Ternary {
  if (value.kind === "any") return true;
  const actual = field === undefined ? undefined : packet[field];
  if (actual === undefined) return undefined;
  if (actual === null) return false;
  if (value.kind === "numbers") return typeof actual === "number" ? actual >= value.first && actual <= value.last : undefined;
  if (typeof actual !== "string") return undefined;
  if (value.kind === "text") return value.text.endsWith("*") ? actual.startsWith(value.text.slice(0, -1)) : actual === value.text;
  const address = addressNumber(actual);
  if (address === undefined) return undefined;
  return address.version === value.version && address.number >= value.first && address.number <= value.last;
}
