import { sampleWithReplacement, shuffle } from "simple-statistics";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { mersenne } from "pure-rand/generator/mersenne";
import { describe, expect, test } from "vitest";
import type { HistoryEntry } from "../evidence/history.ts";
import { Failure } from "../failure/failure.ts";
import { compare } from "./compare.ts";
import { comparisonSchema, type Comparison } from "./comparison.ts";
import { pooled } from "./pooled.ts";
import { entryOf, recordedTrials, slowed, subjectOfTrials } from "./trialsFixture.ts";

const twenty = recordedTrials("trials-20");
const rates = { splits: 200, n: 5 };

function randomOf(seed: number): () => number {
  const random = mersenne(seed);
  return () => uniformFloat64(random);
}

const verdictOf = ({ metrics }: Comparison, metric: string) => metrics.find((each) => each.metric === metric)?.verdict;

/** A subject whose failovers had these figures. */
function measured(name: string, samples: HistoryEntry["samples"], change: Partial<HistoryEntry> = {}) {
  const n = Math.max(...Object.values(samples).map(({ length }) => length));
  return pooled(name, [{ ...entryOf(twenty), id: name, samples, counts: { pass: n, fail: 0, invalid: 0 }, failedChecks: {}, ...change }]);
}

describe("twenty recorded trials", () => {
  test(`against themselves, ${rates.splits} times ${rates.n} against ${rates.n}: hardly ever flagged; slowed by an advert of 3 s, always`, async () => {
    const random = randomOf(1);
    let [flagged, slowedFlagged] = [0, 0];
    for (let split = 0; split < rates.splits; split += 1) {
      const mixed = shuffle([...twenty.trials], random);
      const [base, next] = [mixed.slice(0, rates.n), mixed.slice(rates.n, 2 * rates.n)];
      if ((await compare(subjectOfTrials("base", twenty, base), subjectOfTrials("next", twenty, next))).regression) flagged += 1;
      // Every tenth is enough: when all were tried, none of 200 was missed.
      if (split % 10 !== 0) continue;
      const slow = await compare(subjectOfTrials("base", twenty, base), subjectOfTrials("slow", twenty, next.map((trial) => slowed(trial, 6000))));
      if (slow.regression && verdictOf(slow, "networkMs") === "worse") slowedFlagged += 1;
    }
    // 2.5 % would be 5; these are 3.
    expect(flagged).toBeLessThanOrEqual(5);
    expect(slowedFlagged).toBe(rates.splits / 10);
  }, 60_000);

  test("resampled, ten against ten: hardly ever flagged", async () => {
    const random = randomOf(2);
    let flagged = 0;
    for (let split = 0; split < 50; split += 1) {
      const [base, next] = [0, 1].map(() => sampleWithReplacement(twenty.trials, 10, random));
      if ((await compare(subjectOfTrials("base", twenty, base), subjectOfTrials("next", twenty, next))).regression) flagged += 1;
    }
    expect(flagged).toBeLessThanOrEqual(2);
  }, 60_000);

  test("against themselves as they are: nothing is worse, and it says what it rests on", async () => {
    const comparison = comparisonSchema.parse(await compare(subjectOfTrials("base", twenty), subjectOfTrials("same", twenty)));
    expect(comparison).toMatchObject({ regression: false, changed: [], checks: [], base: { counts: { pass: 20 } } });
    expect(comparison.metrics.map(({ metric, verdict, shift, p }) => ({ metric, verdict, shift, p }))).toEqual([
      { metric: "networkMs", verdict: "unchanged", shift: 0, p: 1 },
      { metric: "stallMs", verdict: "unchanged", shift: 0, p: 1 },
      { metric: "strikeLateMs", verdict: "unchanged", shift: 0, p: 1 },
    ]);
  });
});

/**
 * Sets of five with 6 flows as they were measured one after the other: reference 1 to 3 on a quiet host, 4 and 5 while others kept both its cores busy (load 12;
 * the rule that a host may be blamed was made after 4, and before 5), and with an advert of 3 s on a host that was late at times. Five a side suffice: of 252 arrangements two are as clear as an advert three times as long.
 */
describe("recorded sets of five", () => {
  const sets = new Map(["reference-1", "reference-2", "reference-3", "reference-4", "reference-5", "slow-advert"].map((name) => [name, subjectOfTrials(name, recordedTrials(name))]));
  const set = (name: string) => sets.get(name) ?? pooled(name, []);

  test.each([
    ["reference-1", "reference-2"],
    ["reference-1", "reference-3"],
    ["reference-2", "reference-3"],
    ["reference-1", "reference-4"],
    ["reference-2", "reference-4"],
    ["reference-1", "reference-5"],
    ["reference-2", "reference-5"],
    ["reference-3", "reference-5"],
    ["reference-4", "reference-5"],
  ])("the reference against itself, %s and %s: no regression, in either order", async (base, next) => {
    expect((await compare(set(base), set(next))).regression).toBe(false);
    expect((await compare(set(next), set(base))).regression).toBe(false);
  });

  test("the starved set is slower, and the host is named for it", async () => {
    const comparison = await compare(set("reference-1"), set("reference-4"));
    expect(verdictOf(comparison, "networkMs")).toBe("worse");
    expect(comparison.changed.map(({ what }) => what)).toEqual(["host-noise"]);
  });

  test.each(["reference-1", "reference-2", "reference-3", "reference-4", "reference-5"])("an advert of 3 s is a regression against %s, and the config is named", async (base) => {
    const comparison = await compare(set(base), set("slow-advert"));
    expect(comparison.regression).toBe(true);
    expect([verdictOf(comparison, "networkMs"), verdictOf(comparison, "stallMs")]).toEqual(["worse", "worse"]);
    expect(comparison.changed.map(({ what }) => what)).toContain("config");
    expect((await compare(set("slow-advert"), set(base))).metrics[0]?.verdict).toBe("better");
  });
});

describe("what cannot be told", () => {
  test.each([
    [1, 1],
    [1, 5],
    [3, 3],
  ])("%i value(s) against %i, however far apart, are too few, and it says how many are needed", async (few, others) => {
    const comparison = await compare(measured("base", { networkMs: Array.from({ length: few }, () => 3500) }), measured("next", { networkMs: Array.from({ length: others }, () => 60_000) }));
    expect(comparison.regression).toBe(false);
    expect(comparison.metrics[0]).toMatchObject({ verdict: "cannot-be-told", why: `${few} against ${others} are too few: 4 each are needed` });
    expect(comparison.reason).toContain("nothing can be told");
  });

  test("a figure that only one side has", async () => {
    const comparison = await compare(measured("base", { networkMs: [1, 2, 3, 4] }), measured("next", { networkMs: [1, 2, 3, 4], masterMs: [3000, 3000, 3000, 3000] }));
    expect(comparison.metrics.find(({ metric }) => metric === "masterMs")).toMatchObject({ verdict: "cannot-be-told", why: "not measured in the base", p: null, shift: null });
    expect(verdictOf(comparison, "networkMs")).toBe("unchanged");
  });
});

describe("what matters", () => {
  const base = [3400, 3500, 3600, 3700, 3800, 3900, 4000, 4100, 4200, 4300];
  const times = (values: readonly number[], by: number) => values.map((value) => value + by);

  test.each([
    ["bimodal against itself in other order", [3900, 8100, 3950, 8200, 4000, 8300, 8000, 8150], [8250, 4010, 8050, 3910, 8120, 3980, 8210, 8090], "unchanged"],
    ["slower by 2 s", base, times(base, 2000), "worse"],
    ["faster by 2 s", times(base, 2000), base, "better"],
    ["surely slower, by less than a quarter of a second", times(base, 0).map((_, index) => 1000 + index), times(base, 0).map((_, index) => 1200 + index), "unchanged"],
    ["surely slower, by less than ten percent", base.map((_, index) => 10_000 + index), base.map((_, index) => 10_900 + index), "unchanged"],
  ])("%s", async (_, before, now, verdict) => {
    const comparison = await compare(measured("base", { stallMs: before }), measured("next", { stallMs: now }));
    expect(verdictOf(comparison, "stallMs")).toBe(verdict);
    expect(comparison.regression).toBe(verdict === "worse");
  });

  test("a phase that got slower is told, though the outage did not", async () => {
    const comparison = await compare(measured("base", { networkMs: base, windowMs: base.map((_, index) => index) }), measured("next", { networkMs: base, windowMs: base.map((_, index) => 900 + index) }));
    expect([verdictOf(comparison, "networkMs"), verdictOf(comparison, "windowMs")]).toEqual(["unchanged", "worse"]);
    expect(comparison).toMatchObject({ regression: true, reason: expect.stringContaining("window without state +900 ms") as string });
  });

  test("packets dropped where none were", async () => {
    expect((await compare(measured("base", { dropped: [0, 0, 0, 0, 0, 0] }), measured("next", { dropped: [4, 2, 5, 3, 4, 4] }))).regression).toBe(true);
    expect((await compare(measured("base", { dropped: [0, 0, 0, 0, 0, 0] }), measured("next", { dropped: [4, 0, 0, 0, 0, 0] }))).regression).toBe(false);
  });
});

describe("checks", () => {
  const samples = { networkMs: [3400, 3500, 3600, 3700] };

  test("one that held and fails now is worse, however few they are", async () => {
    const lost = measured("next", samples, { counts: { pass: 3, fail: 1, invalid: 0 }, failedChecks: { "flows-survive": 1 } });
    const comparison = await compare(measured("base", samples), lost);
    expect(comparison).toMatchObject({ regression: true, checks: [{ id: "flows-survive", verdict: "worse", base: { failed: 0, of: 4 }, new: { failed: 1, of: 4 } }] });
  });

  test("a bound of time overstepped once is one number, and overstepped always is not", async () => {
    const over = (failed: number) => measured("next", samples, { counts: { pass: 4 - failed, fail: failed, invalid: 0 }, failedChecks: { "outage-in-bound": failed } });
    expect(await compare(measured("base", samples), over(1))).toMatchObject({ regression: false, checks: [{ verdict: "cannot-be-told" }] });
    expect(await compare(measured("base", samples), over(4))).toMatchObject({ regression: true, checks: [{ verdict: "worse" }] });
  });

  test("one that failed before and holds now is better; one that fails as often is no news", async () => {
    const failing = (name: string) => measured(name, samples, { counts: { pass: 0, fail: 4, invalid: 0 }, failedChecks: { "flows-survive": 4 } });
    expect(await compare(failing("base"), measured("next", samples))).toMatchObject({ regression: false, checks: [{ verdict: "better" }] });
    expect((await compare(failing("base"), failing("next"))).regression).toBe(false);
  });
});

describe("what changed is named", () => {
  const slow = { networkMs: [9600, 9700, 9800, 9900, 11_900] };
  const base = { networkMs: [3400, 3500, 3600, 3700, 3800] };
  const { host, config } = entryOf(twenty);

  test("a config, with its files, and it is judged all the same", async () => {
    const next = measured("next", slow, { config: { ...config, sha256: "1".repeat(64) } });
    const comparison = await compare(measured("base", base), next, () => Promise.resolve(["fw-1/etc/keepalived/keepalived.conf"]));
    expect(comparison).toMatchObject({ regression: true, changed: [{ what: "config", confounds: false, files: ["fw-1/etc/keepalived/keepalived.conf"] }], reason: expect.stringContaining("what changed: config") as string });
  });

  test("the same files elsewhere are no other config", async () => {
    expect((await compare(measured("base", base), measured("next", base, { config: { ...config, path: "copy" } }))).changed).toEqual([]);
  });

  test.each([
    ["guest-kernel", { host: { ...host, guestKernel: "6.12.0" } }, true],
    ["qemu", { host: { ...host, qemu: "9.0.0" } }, true],
    ["accelerator", { host: { ...host, accelerator: "kvm" as const } }, false],
    ["cores", { host: { ...host, cores: 64 } }, false],
    ["flows", { flows: { total: 1000 } }, false],
    ["kind", { kind: "run" as const }, true],
  ])("%s", async (what, change, regression) => {
    const comparison = await compare(measured("base", base), measured("next", slow, change));
    expect(comparison).toMatchObject({ regression, changed: [{ what, confounds: !regression }] });
    expect(comparison.metrics[0]?.verdict).toBe("worse");
    expect(comparison.reason).toContain(what);
  });

  test("under another accelerator, a flow that is lost is still lost", async () => {
    const lost = measured("next", slow, { host: { ...host, accelerator: "kvm" }, failedChecks: { "flows-survive": 2 }, counts: { pass: 3, fail: 2, invalid: 0 } });
    expect((await compare(measured("base", base), lost)).regression).toBe(true);
  });

  test("a host that is late, and only when it is so by much", async () => {
    const late = (ms: number) => measured("next", { ...slow, hostDelayMs: [ms, ms + 1, ms + 2, ms + 3, ms + 4] });
    const quiet = measured("base", { ...base, hostDelayMs: [50, 51, 52, 53, 54] });
    expect((await compare(quiet, late(900))).changed).toMatchObject([{ what: "host-noise", base: expect.stringContaining("52 ms") as string, new: expect.stringContaining("902 ms") as string, lateByMs: 850 }]);
    expect((await compare(quiet, late(120))).changed).toEqual([]);
  });

  test("what got worse by no more than the host was late is not the pair's doing; what did by more, is", async () => {
    const starved = { strikeLateMs: [3955, 10_436, 443, 9134, 5747] };
    const quiet = measured("base", { ...base, strikeLateMs: [0, 0, 0, 0, 0] });
    const over = { failedChecks: { "outage-in-bound": 5 }, counts: { pass: 0, fail: 5, invalid: 0 } };
    const little = measured("next", { networkMs: [4474, 4934, 5856, 5134, 4964], ...starved }, over);
    expect(await compare(quiet, little)).toMatchObject({ regression: false, changed: [{ what: "host-noise", lateByMs: 5747 }], metrics: [{ verdict: "worse" }, { metric: "strikeLateMs" }], reason: expect.stringContaining("measured otherwise: network outage") as string });
    const much = measured("next", { networkMs: [14_474, 14_934, 15_856, 15_134, 14_964], ...starved }, over);
    expect(await compare(quiet, much)).toMatchObject({ regression: true, reason: expect.stringMatching(/^worse: outage-in-bound .*network outage \+11\d\d\d ms/u) as string });
    // A flow lost is lost, however late the host.
    expect((await compare(quiet, measured("next", { networkMs: [4474, 4934, 5856, 5134, 4964], ...starved }, { failedChecks: { "flows-survive": 1 } }))).regression).toBe(true);
  });
});

describe("what is no comparison", () => {
  const samples = { networkMs: [1, 2, 3, 4] };

  test("two topologies, two faults: one line", async () => {
    const other = measured("next", samples, { topology: "mesh" });
    await expect(compare(measured("base", samples), other)).rejects.toThrow(Failure);
    await expect(compare(measured("base", samples), other)).rejects.toThrow(/the one is a power-cut of fw-1 in primary-backup, the other a power-cut of fw-1 in mesh/u);
    await expect(compare(measured("base", samples), measured("next", samples, { fault: { id: "link-down", target: "fw-1" } }))).rejects.toThrow("link-down");
  });

  test("a pool of two topologies, an empty one, one without a valid failover", () => {
    const entry = entryOf(twenty);
    expect(() => pooled("p", [entry, { ...entry, id: "b", topology: "mesh" }])).toThrow("mesh");
    expect(() => pooled("p", [])).toThrow("no run and no trials");
    expect(() => pooled("p", [{ ...entry, counts: { pass: 0, fail: 0, invalid: 5 } }])).toThrow("no failover in it is valid");
  });
});

test("a pool takes its runs' samples together, each run once", () => {
  const entry = entryOf(twenty);
  const { samples, summary } = pooled("p", [entry, { ...entry, id: "b" }, entry]);
  expect(samples.networkMs).toHaveLength(40);
  expect(summary).toMatchObject({ ids: [entry.id, "b"], counts: { pass: 40 }, survived: { survived: 2000, of: 2000 } });
});
