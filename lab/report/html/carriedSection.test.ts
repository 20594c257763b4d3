import { expect, test } from "vitest";
import { judge } from "../../judge/judge.ts";
import { healthyCut } from "../../judge/sandwich.fixture.ts";
import { start } from "../healthyResult.ts";
import { lookOf, renderRun } from "../terminal.ts";
import { renderRunReport } from "./runReport.ts";

const { evidence, packets } = healthyCut();
const runOf = (captured: boolean) => ({ schema: 1 as const, ...start, topology: "sandwich", ...judge(evidence, captured ? { packets } : {}), durations: {} });
const page = (captured: boolean) => renderRunReport({ run: runOf(captured), evidence, files: [], read: () => Promise.resolve(undefined) });

test("a sandwich's report draws who carried what, before and after, and tells it in words", async () => {
  const text = await page(true);
  expect(text).toContain("Who carried what");
  expect(text).toMatch(/<desc id="carried-wide-desc">before: fw-1 \d+ packets, fw-2 \d+ packets; failover: fw-1 0 packets, fw-2 \d+ packets; between: fw-1 0 packets/u);
  expect(text).toContain("By fw-2");
});

test("it draws the network before and after: who had which address, and what was broken", async () => {
  const text = await page(true);
  for (const host of ["clients", "lvs", "fw-1", "fw-2", "egress-router", "servers-1", "servers-2"]) expect(text).toContain(`>${host}</text>`);
  expect(text).toMatch(/<desc id="after-failover-desc">[^<]*fw-1: [^;<]*power-cut/u);
});

test("without a capture it tells the load, and that nobody knows who carried it", async () => {
  const text = await page(false);
  expect(text).toContain("Who carried what is not known");
  expect(text).not.toContain("By fw-2");
});

test("the terminal tells the load stretch by stretch", () => {
  const text = renderRun(runOf(true), "runs/x", lookOf({}, {}));
  expect(text).toMatch(/^load +lasted +requests +a second +failed +median +p99 +by fw-1 +by fw-2$/mu);
  expect(text).toMatch(/^failover +\d+\.\d s +\d+ +\d+\.\d +0 +\d+ ms +\d+ ms +0 +2$/mu);
});
