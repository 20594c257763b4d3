import { describe, expect, test } from "vitest";
import { mixedFlows, mixture, pacedIntervalMs, promisedFlows, ssh, tcp, udp } from "./flowSpec.ts";

describe("the mixture", () => {
  test.each([
    [1, { tcp: 1, udp: 0, ssh: 0 }],
    [10, { tcp: 8, udp: 2, ssh: 0 }],
    [50, { tcp: 36, udp: 10, ssh: 4 }],
    [1_000, { tcp: 986, udp: 10, ssh: 4 }],
  ])("of %i flows", (count, counts) => {
    expect(mixture(count)).toEqual(counts);
    expect(mixedFlows(count)).toHaveLength(count);
  });

  test.each([
    [50, ["tcp", "ssh"], { tcp: 46, udp: 0, ssh: 4 }],
    [50, ["tcp"], { tcp: 50, udp: 0, ssh: 0 }],
    [50, ["udp", "ssh"], { tcp: 0, udp: 10, ssh: 40 }],
    [3, ["ssh"], { tcp: 0, udp: 0, ssh: 3 }],
  ] as const)("of %i flows is of promised kinds alone: %j", (count, kinds, counts) => {
    expect(promisedFlows(count, kinds)).toEqual(counts);
  });

  test("counts that are told are taken as they are, and refused when the policy would not let them through", () => {
    expect(promisedFlows({ tcp: 1, udp: 0, ssh: 1 }, ["tcp", "ssh"])).toEqual({ tcp: 1, udp: 0, ssh: 1 });
    expect(() => promisedFlows({ tcp: 1, udp: 1, ssh: 0 }, ["tcp", "ssh"])).toThrow(expect.objectContaining({ exit: 2, tried: expect.stringContaining("udp") as string }) as Error);
  });

  test("has every tcp mode, evenly", () => {
    const modes = mixedFlows(50).filter(({ kind }) => kind === "tcp").map(({ mode }) => mode);
    for (const mode of ["client", "server", "both", "idle"]) expect(modes.filter((candidate) => candidate === mode)).toHaveLength(9);
  });

  test.each([0, -1, 1.5, Number.NaN])("refuses %d flows", (count) => {
    expect(() => mixedFlows(count)).toThrow(/is no number of flows/u);
  });
});

test.each([
  [1, 100],
  [20, 100],
  [50, 250],
  [1_000, 5_000],
])("%i flows speak every %i ms", (flows, intervalMs) => {
  expect(pacedIntervalMs(flows)).toBe(intervalMs);
});

test("few flows are no denser than they are told to be, many as paced", () => {
  const paces = (count: number, leastIntervalMs?: number): number[] => [...new Set(mixedFlows({ tcp: count, udp: 0, ssh: 0 }, "omarine", leastIntervalMs === undefined ? {} : { leastIntervalMs }).map(({ intervalMs }) => intervalMs))];
  expect([paces(12), paces(12, 250), paces(200, 250)]).toEqual([[100], [250], [1_000]]);
});

test("lines of ssh have a pace of their own", () => {
  const pace = (lineMs?: number): number[] => mixedFlows({ tcp: 0, udp: 0, ssh: 1 }, "omarine", lineMs === undefined ? {} : { lineMs }).map(({ intervalMs }) => intervalMs);
  expect([pace(), pace(1_000)]).toEqual([[2_000], [1_000]]);
});

test("a specification names machine and port", () => {
  expect(tcp("omarine:7")).toEqual({ kind: "tcp", mode: "both", server: "omarine", port: 7, intervalMs: 250 });
  expect(udp("omarine:7", { intervalMs: 100 })).toMatchObject({ kind: "udp", mode: "request", intervalMs: 100 });
  expect(ssh("omarine:22")).toMatchObject({ kind: "ssh", port: 22 });
});

test.each(["omarine", "omarine:0", "omarine:65536", ":7", "omarine:http"])("%s is no target", (target) => {
  expect(() => tcp(target)).toThrow(/no machine:port/u);
});
