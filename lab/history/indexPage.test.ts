import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HistoryEntry } from "../evidence/history.ts";
import { appendHistory } from "./historyFile.ts";
import { renderIndex } from "./indexPage.ts";
import { entryOf, recordedTrials } from "./trialsFixture.ts";
import { trendsOf } from "./trends.ts";
import { writeIndex } from "./writeIndex.ts";

const twenty = entryOf(recordedTrials("trials-20"));
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>&'`;

/** Nights at the level of the recorded trials, and from one on slower by an advert interval of 3 s. */
function nights(count: number, slowFrom = count): HistoryEntry[] {
  return Array.from({ length: count }, (_, index) => {
    const at = new Date(Date.UTC(2026, 9, 1 + index, 2, 13)).toISOString();
    const by = (index % 5) * 20 + (index >= slowFrom ? 6500 : 0);
    const id = `${at.slice(0, 10)}-night`;
    return { ...twenty, id, at, folder: id, verdict: index >= slowFrom ? "fail" : "pass", samples: { networkMs: [3500 + by, 3900 + by, 4300 + by], stallMs: [3900 + by, 8100 + by], masterMs: [3300 + by] } };
  });
}

const page = (entries: readonly HistoryEntry[], linkOf: (entry: HistoryEntry) => string | undefined = () => undefined) => renderIndex({ entries, trends: trendsOf(entries), linkOf, broken: 0 });

test("no run yet", async () => {
  expect(await page([])).toContain("No run yet");
});

test("the latest is first, and a night that changed something says what", async () => {
  const entries = nights(40, 30);
  const text = await page(entries, ({ folder }) => `${folder}/report.html`);
  expect(text.indexOf("2026-11-09-night/report.html")).toBeGreaterThan(0);
  expect(text.indexOf("2026-11-09-night/report.html")).toBeLessThan(text.indexOf("2026-10-01-night/report.html"));
  expect(text).toMatch(/network outage \+6500 ms, worse: 3940 ms over 30 nights, then 10440 ms over 10/u);
  expect(text).toContain("Config, kernel and QEMU stayed the same that night.");
});

test("what a history says never becomes markup, and leads nowhere outside", async () => {
  const text = await page([{ ...twenty, reason: hostile, config: { ...twenty.config, path: hostile, overlays: [hostile] }, host: { ...twenty.host, guestKernel: hostile }, topology: hostile }]);
  expect(text).not.toMatch(/<script|<img/iu);
});

test("180 nights of all metrics stay below 1.5 MB", async () => {
  const metrics = { firewallMs: [3500], addressUpMs: [3300], announcedMs: [3310], committedMs: [3400], windowMs: [20], dropped: [0], hostDelayMs: [50] };
  const text = await page(nights(180, 90).map((entry) => ({ ...entry, samples: { ...entry.samples, ...metrics } })));
  expect(text.length).toBeLessThan(1_500_000);
}, 30_000);

describe("links", () => {
  let runs: string;
  beforeAll(async () => {
    runs = await mkdtemp(join(tmpdir(), "fwlab-index-"));
  });
  afterAll(() => rm(runs, { recursive: true }));

  test("lead to the report, else to the result, and never out of the folder of runs", async () => {
    const [reported, told, gone] = nights(3);
    if (reported === undefined || told === undefined || gone === undefined) throw new Error("three nights were asked for");
    const outside = { ...gone, id: "outside", folder: ".." };
    for (const entry of [reported, told, gone, outside]) await appendHistory(runs, entry);
    await mkdir(join(runs, reported.folder));
    await mkdir(join(runs, told.folder));
    await writeFile(join(runs, reported.folder, "report.html"), "");
    await writeFile(join(runs, reported.folder, "trials.json"), "");
    await writeFile(join(runs, told.folder, "trials.json"), "");
    await writeFile(join(runs, "run.json"), "");
    const path = await writeIndex(runs);
    const links = [...(await readFile(path, "utf8")).matchAll(/href="([^"#]+)"/gu)].map(([, link]) => link).filter((link) => link !== "data:,");
    expect([...new Set(links)].toSorted()).toEqual([`${reported.folder}/report.html`, `${told.folder}/trials.json`]);
  });
});

const browserPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));

describe.skipIf(browserPath === undefined)("in a browser without scripts", () => {
  let browser: Browser;
  let folder: string;
  let url: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "fwlab-index-"));
    await writeFile(join(folder, "index.html"), await page(nights(40, 30), ({ folder: bundle }) => `${bundle}/report.html`));
    url = pathToFileURL(join(folder, "index.html")).href;
    browser = await chromium.launch({ ...(browserPath !== undefined && { executablePath: browserPath }), args: ["--no-sandbox"] });
  }, 30_000);
  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });

  test.each([
    ["a desk, light", 1200, "light"],
    ["a desk, dark", 1200, "dark"],
    ["a phone", 360, "light"],
  ] as const)("%s: nothing is wider than the window, and axe finds nothing", async (_, width, colorScheme) => {
    // axe itself is a script: the page's own policy forbids any, so it is put in past that.
    const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, bypassCSP: true });
    const tab = await context.newPage();
    const errors: string[] = [];
    tab.on("pageerror", (error) => errors.push(error.message));
    await tab.goto(url);
    expect(await tab.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    await tab.addScriptTag({ path: createRequire(import.meta.url).resolve("axe-core/axe.min.js") });
    const violations: unknown = await tab.evaluate("axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).join(' | ')))");
    expect(violations).toEqual([]);
    expect(errors).toEqual([]);
    await context.close();
  }, 30_000);
});
