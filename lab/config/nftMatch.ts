import { elementsOf, isObject, textOf, tupleOf, type Expression, type Scope } from "./nftExpression.ts";
import type { Field, Match, TcpFlag, Value } from "./ruleset.ts";

export type { NamedSets } from "./nftExpression.ts";

/** Statements that stop a rule for some packets, by what no packet tells. */
const untoldConditions = ["limit", "quota", "ct count", "xt"];

const tcpFlags: readonly TcpFlag[] = ["fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"];

/** A question that a rule asks of a packet: fields, and what asking them takes for granted. */
interface Question {
  readonly fields: readonly Field[];
  readonly implied: readonly Match[];
}

/** The conditions of one statement; none where it is no condition. */
export function matchesOf(expression: Expression, scope: Scope): Match[] {
  if (untoldConditions.some((kind) => kind in expression)) return isTarget(expression) ? [] : [untold(expression, scope)];
  const vmap = expression["vmap"];
  if (isObject(vmap)) return [...(questionOf(vmap["key"])?.implied ?? [])];
  const match = expression["match"];
  if (!isObject(match)) return [];
  const op = String(match["op"]);
  if (op !== "==" && op !== "!=" && op !== "in") return [untold(expression, scope)];
  const negated = op === "!=";
  const flags = flagsMatch(match, negated);
  if (flags !== undefined) return [protocolIs(6), flags];
  const question = questionOf(match["left"]);
  if (question === undefined) return [...impliedBy(match["left"]), untold(expression, scope)];
  const { elements, complete } = elementsOf(match["right"], scope);
  const tuples = elements.map((element) => tupleOf(question.fields, element)).filter((tuple) => tuple !== undefined);
  return [...question.implied, { kind: "in", fields: question.fields, tuples, complete: complete && tuples.length === elements.length, negated }];
}

/** The fields of a key, in a match or a verdict map; undefined where the model lacks one. */
export function questionOf(left: unknown): Question | undefined {
  if (!isObject(left)) return undefined;
  if (Array.isArray(left["concat"])) {
    const questions = left["concat"].map(questionOf);
    if (questions.includes(undefined)) return undefined;
    const all = questions.filter((question) => question !== undefined);
    return { fields: all.flatMap(({ fields }) => fields), implied: all.flatMap(({ implied }) => implied) };
  }
  const field = fieldOf(left);
  return field && { fields: [field], implied: impliedBy(left) };
}

function fieldOf(left: Expression): Field | undefined {
  if (isObject(left["meta"])) {
    const fields: Readonly<Record<string, Field>> = { iifname: "iifname", iif: "iifname", oifname: "oifname", oif: "oifname", nfproto: "family", protocol: "family", l4proto: "protocol" };
    return fields[String(left["meta"]["key"])];
  }
  if (isObject(left["ct"])) return left["ct"]["key"] === "state" ? "ctState" : undefined;
  if (!isObject(left["payload"])) return undefined;
  const field = String(left["payload"]["field"]);
  const protocol = String(left["payload"]["protocol"]);
  if (protocol === "ip" || protocol === "ip6") return field === "saddr" || field === "daddr" ? field : field === "protocol" || field === "nexthdr" ? "protocol" : undefined;
  return field === "sport" || field === "dport" ? field : undefined;
}

/** A part of a header can only be asked of a packet that has the header. */
function impliedBy(left: unknown): Match[] {
  if (!isObject(left)) return [];
  if (Array.isArray(left["&"])) return impliedBy(left["&"][0]);
  if (!isObject(left["payload"])) return [];
  const protocol = String(left["payload"]["protocol"]);
  const numbers: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58, igmp: 2, sctp: 132, dccp: 33, udplite: 136, esp: 50, ah: 51 };
  const number = numbers[protocol];
  if (number !== undefined) return [protocolIs(number)];
  if (protocol === "th") return [{ kind: "in", fields: ["protocol"], tuples: [6, 17, 33, 132, 136].map((each) => [numberValue(each)]), complete: true, negated: false }];
  return protocol === "ip" || protocol === "ip6" ? [{ kind: "in", fields: ["family"], tuples: [[{ kind: "text", text: protocol }]], complete: true, negated: false }] : [];
}

/** `tcp flags …`: equal to some, any of some, or some of a mask; undefined for any other match. */
function flagsMatch({ left, right, op }: Expression, negated: boolean): Match | undefined {
  if (!isObject(left)) return undefined;
  const [payload, maskText] = Array.isArray(left["&"]) ? (left["&"] as readonly unknown[]) : [left];
  if (!isObject(payload) || !isObject(payload["payload"]) || payload["payload"]["protocol"] !== "tcp" || payload["payload"]["field"] !== "flags") return undefined;
  const set = flagsOf(right);
  const mask = maskText === undefined ? tcpFlags : flagsOf(maskText);
  if (set === undefined || mask === undefined) return { kind: "untold", text: "tcp flags" };
  return op === "in" ? { kind: "some-flag", of: set, negated } : { kind: "flags", mask, set, negated };
}

function flagsOf(value: unknown): TcpFlag[] | undefined {
  if (value === 0) return [];
  const names = isObject(value) && Array.isArray(value["|"]) ? (value["|"] as unknown[]) : Array.isArray(value) ? value : [value];
  const flags = names.map((name) => tcpFlags.find((flag) => flag === name));
  return flags.includes(undefined) ? undefined : flags.filter((flag) => flag !== undefined);
}

function isTarget({ xt }: Expression): boolean {
  return isObject(xt) && xt["type"] === "target";
}

function protocolIs(number: number): Match {
  return { kind: "in", fields: ["protocol"], tuples: [[numberValue(number)]], complete: true, negated: false };
}

function numberValue(number: number): Value {
  return { kind: "numbers", first: number, last: number };
}

function untold(expression: Expression, scope: Scope): Match {
  return { kind: "untold", text: textOf(expression, scope) };
}
