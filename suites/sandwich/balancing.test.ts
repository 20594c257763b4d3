import { describe, expect, test } from "vitest";
import { judgeBalance } from "../../lab/judge/balance.ts";
import { sandwichLoad } from "../../lab/load/sandwichLoad.ts";
import type { SandwichRun } from "../../lab/run/sandwichRun.ts";
import { sandwich } from "../../lab/topology/sandwich.ts";
import { everyNight } from "../everyNight.ts";
import { sandwiched, type Sandwiched } from "./sandwiched.ts";

/** Something that is taken away from a sandwich, and how it is put back. */
interface Control {
  readonly machine: string;
  readonly take: string;
  readonly putBack: string;
}

const many = sandwichLoad(sandwich, { held: 120, others: 40, pauseMs: 2_000 });
const few = sandwichLoad(sandwich, { held: 0, others: 24, pauseMs: 1_000, timeoutMs: 3_000 });

/** Every scheduler under load; then, with `rr`, without each thing that it needs. */
function acts(schedulers: readonly string[], controls: Readonly<Record<string, Control>>) {
  return async (run: SandwichRun): Promise<void> => {
    const on = (machine: string, command: string) => run.shell(machine).must(command, { signal: run.signal });
    const schedule = (scheduler: string) => on(run.topology.director, `ipvsadm --edit-service --fwmark-service 1 --scheduler ${scheduler}`);
    for (const scheduler of schedulers) {
      await schedule(scheduler);
      await run.act({ name: scheduler, order: many, meanwhile: () => run.wait(5_000) });
    }
    await schedule("rr");
    for (const [name, { machine, take, putBack }] of Object.entries(controls)) {
      await on(machine, take);
      await run.act({ name, order: few, meanwhile: () => run.wait(4_000) });
      await on(machine, putBack);
    }
  };
}

function judged({ evidence, packets }: Sandwiched, name: string) {
  const act = evidence.acts?.find((each) => each.name === name);
  if (act === undefined) throw new Error(`no act ${name}`);
  return { act, verdicts: Object.fromEntries(judgeBalance(act, sandwich, packets).map(({ id, verdict, explanation }) => [id, verdict === "pass" ? verdict : `${verdict}: ${explanation}`])) };
}

const allPass = { "requests-answered": "pass", "both-carry": "pass", "same-way-back": "pass", "no-rejects": "pass" };
const failing: unknown = expect.stringMatching(/^fail: /u);
const fault = { id: "none", target: "fw-1" };

/*
 *                     ┌─ fw-1 ─┐
 *   clients ── lvs ───┤        ├─── egress-router ── servers
 *                     └─ fw-2 ─┘
 */
describe("the sandwich of the document", () => {
  const schedulers = ["sh", "rr", "mh"] as const;
  const putBack = "iptables-restore /etc/iptables/rules.v4";
  const run = sandwiched({
    trees: ["sandwich"],
    fault,
    story: acts(schedulers, {
      "without MAC persistence": { machine: "egress-router", take: "iptables -t mangle -F", putBack },
      "without connmark's save": { machine: "egress-router", take: "iptables -t mangle -D POSTROUTING -j CONNMARK --save-mark", putBack },
      "without the rule for marked packets": { machine: "lvs", take: "ip rule del fwmark 1 lookup 100", putBack: "ip rule add fwmark 1 lookup 100" },
    }),
  });

  test.each(schedulers)("%s: no errors, both firewalls carry their share, answers leave by the firewall that they came by, nothing is refused", (scheduler) => {
    const { act, verdicts } = judged(run(), scheduler);
    expect(verdicts).toEqual(allPass);
    expect(act.after.director).toMatchObject({ ok: true, data: { scheduler } });
  });

  test.each(["without MAC persistence", "without connmark's save"])("the control %s: answers come back by the wrong firewall, and are rejected", (name) => {
    expect(judged(run(), name).verdicts).toMatchObject({ "requests-answered": failing, "same-way-back": failing, "no-rejects": failing, "both-carry": "pass" });
  });

  test("the control without the rule for marked packets: nothing reaches IPVS, and no firewall", () => {
    const { act, verdicts } = judged(run(), "without the rule for marked packets");
    expect(verdicts).toMatchObject({ "requests-answered": failing, "both-carry": "fail: no connection went by any firewall" });
    const connections = [act.before, act.after].map(({ director }) => (director.ok ? director.data.servers.map((server) => server.connections) : director.error));
    expect(connections[1]).toEqual(connections[0]);
  });
});

everyNight("the same sandwich in nftables", () => {
  const run = sandwiched({
    trees: ["sandwich", "sandwich-nft"],
    fault,
    story: acts(["rr"], { "without MAC persistence": { machine: "egress-router", take: "nft flush ruleset", putBack: "nft -f /etc/nftables.conf" } }),
  });

  test("round robin: no errors, both firewalls carry their share, answers leave by the firewall that they came by, nothing is refused", () => {
    expect(judged(run(), "rr").verdicts).toEqual(allPass);
  });

  test("the control without MAC persistence: answers come back by the wrong firewall, and are rejected", () => {
    expect(judged(run(), "without MAC persistence").verdicts).toMatchObject({ "requests-answered": failing, "same-way-back": failing, "no-rejects": failing });
  });
});
