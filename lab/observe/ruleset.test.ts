import { describe, expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import { recorded } from "./recorded.ts";
import { parseDropCounters, parseRuleset } from "./ruleset.ts";

function ruleset(...objects: object[]): string {
  return JSON.stringify({ nftables: [{ metainfo: {} }, { table: { family: "ip", name: "t" } }, ...objects] });
}
const chain = (name: string, extra: object = {}) => ({ chain: { family: "ip", table: "t", name, ...extra } });
const forward = chain("f", { hook: "forward", policy: "accept" });
const rule = (chainName: string, ...expr: object[]) => ({ rule: { family: "ip", table: "t", chain: chainName, handle: 1, expr } });
const counter = { counter: { packets: 3, bytes: 9 } };
const match = { match: { op: "==", left: 1, right: 1 } };

describe("recorded rulesets", () => {
  test("drops and rejects of the forward hook, in the chains it jumps to and by named counters; no other hook's", () => {
    expect(parseRuleset(recorded("ruleset"))).toEqual({
      counters: [
        { rule: "forward refused", packets: 0, bytes: 0 },
        { rule: "inet fw from-inside handle 34", packets: 2, bytes: 140 },
        { rule: "counter out-of-state", packets: 3, bytes: 138 },
      ],
      uncounted: [],
    });
  });

  test("Firewall Builder's, whose last rule hands all that is left to a chain that logs and drops; what it drops of its own packets is not counted", () => {
    expect(parseRuleset(recorded("ruleset-fwbuilder"))).toEqual({
      counters: [
        { rule: "ip filter FORWARD handle 9", packets: 0, bytes: 0 },
        { rule: "ip filter RULE_6 handle 22", packets: 24, bytes: 1104 },
        { rule: "ip filter RULE_9 handle 32", packets: 3, bytes: 180 },
      ],
      uncounted: [],
    });
  });

  test("iptables-nft", () => {
    expect(parseRuleset(recorded("ruleset-iptables"))).toEqual({
      counters: [
        { rule: "ip filter FORWARD handle 4", packets: 0, bytes: 0 },
        { rule: "ip filter FORWARD handle 5", packets: 0, bytes: 0 },
      ],
      uncounted: [],
    });
  });
});

describe("what cannot be counted is told", () => {
  test.each<[string, string, string[]]>([
    ["policy drop and nothing behind it", ruleset(chain("f", { hook: "forward", policy: "drop" }), rule("f", match, { accept: null })), ["policy of ip t f"]],
    [
      "policy drop behind a jump to a chain that lets some return",
      ruleset(chain("f", { hook: "forward", policy: "drop" }), chain("c"), rule("f", { jump: { target: "c" } }), rule("c", match, { return: null }), rule("c", counter, { drop: null })),
      ["policy of ip t f"],
    ],
    [
      "policy drop behind a jump that has a condition",
      ruleset(chain("f", { hook: "forward", policy: "drop" }), chain("c"), rule("f", match, { jump: { target: "c" } }), rule("c", counter, { drop: null })),
      ["policy of ip t f"],
    ],
    [
      "policy drop behind a jump to a chain that ends open",
      ruleset(chain("f", { hook: "forward", policy: "drop" }), chain("c"), rule("f", { jump: { target: "c" } }), rule("c", match, counter, { drop: null })),
      ["policy of ip t f"],
    ],
    ["policy drop behind a drop that has a condition", ruleset(chain("f", { hook: "forward", policy: "drop" }), rule("f", match, counter, { drop: null })), ["policy of ip t f"]],
    ["a drop without a counter", ruleset(forward, rule("f", match, { drop: null })), ["ip t f handle 1"]],
    ["a counter before the match", ruleset(forward, rule("f", counter, match, { drop: null })), ["ip t f handle 1"]],
    ["a drop in a verdict map", ruleset(forward, rule("f", counter, { vmap: { key: 1, data: { set: [[1, { drop: null }]] } } })), ["ip t f handle 1"]],
    [
      "a drop in a named verdict map",
      ruleset(forward, { map: { family: "ip", table: "t", name: "m", elem: [[1, { drop: null }]] } }, rule("f", { vmap: { key: 1, data: "@m" } })),
      ["ip t f handle 1"],
    ],
    [
      "a named counter that also counts what passes",
      ruleset(forward, { counter: { family: "ip", table: "t", name: "c", packets: 1, bytes: 1 } }, rule("f", { counter: "c" }, { accept: null }), rule("f", match, { counter: "c" }, { drop: null })),
      ["counter c"],
    ],
  ])("%s", (_, text, uncounted) => {
    expect(parseRuleset(text).uncounted).toEqual(uncounted);
    expect(parseDropCounters(text).filter((each) => each.uncounted).map((each) => each.rule)).toEqual(uncounted);
  });

  test("chains reached by goto and through a verdict map are counted", () => {
    const text = ruleset(
      forward,
      chain("a"),
      chain("b"),
      chain("c"),
      rule("f", { goto: { target: "a" } }),
      rule("a", { vmap: { key: 1, data: { set: [[1, { jump: { target: "b" } }]] } } }),
      rule("b", counter, { drop: null }),
      rule("c", counter, { drop: null }),
    );
    expect(parseRuleset(text).counters).toEqual([{ rule: "ip t b handle 1", packets: 3, bytes: 9 }]);
  });
});

test.each(["", "{}", '{"nftables":[{"rule":{}}]}'])("%j is an error", (text) => {
  expect(() => parseRuleset(text)).toThrow(Failure);
});
