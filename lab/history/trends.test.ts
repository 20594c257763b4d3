import { describe, expect, test } from "vitest";
import type { HistoryEntry } from "../evidence/history.ts";
import { entryOf, recordedTrials } from "./trialsFixture.ts";
import { trendsOf } from "./trends.ts";

const twenty = entryOf(recordedTrials("trials-20"));

/** One line a night, its outage a little apart from the last. */
function nightly(outages: readonly number[], change: Partial<HistoryEntry> = {}): HistoryEntry[] {
  return outages.map((outage, index) => {
    const at = new Date(Date.UTC(2026, 10, index + 1)).toISOString();
    return { ...twenty, id: `${at.slice(0, 10)}-${change.kind ?? "trials"}`, at, samples: { networkMs: [outage - 300, outage, outage + 1, outage + 900] }, ...change };
  });
}

const level = (count: number, value: number) => Array.from({ length: count }, (_, index) => value + (index % 5) * 10);

describe("a series", () => {
  test("tells since which night it is otherwise, and by how much", () => {
    const [trend] = trendsOf(nightly([...level(20, 3800), ...level(10, 10_400)]));
    expect(trend?.nights[0]).toMatchObject({ value: 3800.5, n: 4, min: 3500, max: 4700 });
    expect(trend?.changes).toMatchObject([{ id: "2026-11-21-trials", index: 20, nightsBefore: 20, nightsAfter: 10, shift: 6600 }]);
  });

  test("a lasting change that nobody minds is none", () => {
    expect(trendsOf(nightly([...level(20, 3800), ...level(10, 3950)]))[0]?.changes).toEqual([]);
  });

  test("a step by two small ones is one change", () => {
    const [trend] = trendsOf(nightly([...level(20, 3800), ...level(10, 4000), ...level(20, 4200)]));
    expect(trend?.changes).toHaveLength(1);
    expect(trend?.changes[0]?.shift).toBeGreaterThan(380);
  });
});

test.each<[string, Partial<HistoryEntry>]>([
  ["accelerator", { host: { ...twenty.host, accelerator: "kvm" } }],
  ["config path", { config: { ...twenty.config, path: "mine" } }],
  ["number of flows", { flows: { total: 6 } }],
  ["kind", { kind: "run" }],
  ["fault", { fault: { id: "link-down", target: "fw-1" } }],
  ["topology", { topology: "mesh" }],
])("nights of another %s are another series", (_, change) => {
  const trends = trendsOf([...nightly(level(20, 3800)), ...nightly(level(10, 10_400), change)]);
  expect(trends.map(({ nights, changes }) => ({ nights: nights.length, changes }))).toEqual([
    { nights: 20, changes: [] },
    { nights: 10, changes: [] },
  ]);
});

test("a changed file of the same tree is the same series: that is what its trend is for, and it is named", () => {
  const later = nightly(level(10, 10_400), { config: { ...twenty.config, sha256: "1".repeat(64) } });
  const trends = trendsOf([...nightly(level(20, 3800)), ...later]);
  expect(trends).toHaveLength(1);
  expect(trends[0]?.changes).toMatchObject([{ named: [expect.stringMatching(/^config: .*111111/u) as string] }]);
});

test("an invalid night has no value in it", () => {
  expect(trendsOf([{ ...twenty, samples: {} }])).toEqual([]);
});
