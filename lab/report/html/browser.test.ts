import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Evidence } from "../../evidence/evidence.ts";
import { healthyTrials } from "../../judge/healthyTrials.ts";
import { summarizeTrials } from "../../judge/trialsSummary.ts";
import { start } from "../healthyResult.ts";
import { launched, noBrowser } from "./chromium.rig.ts";
import { healthyReport } from "./healthyReport.ts";
import { renderRunReport } from "./runReport.ts";
import { renderTrialsReport } from "./trialsReport.ts";

const phone: BrowserContextOptions = { viewport: { width: 360, height: 740 } };
const desk: BrowserContextOptions = { viewport: { width: 1280, height: 900 } };
const pages = ["passed", "failed", "trials"] as const;

/** Two flows get lost words and long ones, so that nothing is only right for short names. */
function broken({ flows, transitions }: Evidence): void {
  const [first, second] = flows;
  if (first === undefined || second === undefined) throw new RangeError("six flows");
  first.id = `tcp-${"long-name-".repeat(12)}`;
  second.forward.received = { ...second.forward.received, seq: [], atMs: [] };
  second.reverse.received = { ...second.reverse.received, seq: [], atMs: [] };
  const views = transitions[0]?.before.firewalls["fw-2"];
  if (views !== undefined) views.externalCache = { ok: false, atMs: 0, source: views.externalCache.source, error: `conntrackd -e: ${"x".repeat(300)}` };
}

/** What sticks out of the window with everything unfolded; a scrolling box holds wide tables. */
async function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    const limit = window.innerWidth;
    const out = [...document.querySelectorAll("body *")].filter((each) => each.closest(".scroll, .skip") === null && each.getBoundingClientRect().right > limit + 1);
    const words = out.map((each) => `${each.tagName} ${each.textContent.slice(0, 40)}`);
    return document.documentElement.scrollWidth > limit ? [`the page: ${document.documentElement.scrollWidth} of ${limit} pixels`, ...words] : words;
  });
}

/** What axe finds against a page with everything unfolded. */
async function violations(page: Page, rules: axe.RunOptions): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async (options) => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    const found = await (globalThis as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ["violations"], ...options });
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  }, rules);
}

describe.skipIf(noBrowser !== undefined)(`in Chromium${noBrowser === undefined ? "" : ` (${noBrowser})`}`, { timeout: 40_000 }, () => {
  let browser: Browser | undefined;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "fwlab-pages-"));
    const { topology, config, fault, host, versions } = start;
    const trials = healthyTrials(20);
    const contents = await Promise.all([
      renderRunReport(healthyReport(6)),
      renderRunReport(healthyReport(6, broken)),
      renderTrialsReport({ schema: 1, id: "t", topology, config, fault, host, versions, flows: 50, seed: 1, spreadMs: 1000, planned: 20, trials, ...summarizeTrials(trials, 20) }, ["trial-001/report.html"]),
    ]);
    await Promise.all(pages.map((name, index) => writeFile(join(folder, `${name}.html`), contents[index] ?? "")));
    browser = await launched();
  }, 30_000);
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });

  const addressOf = (name: string) => pathToFileURL(join(folder, `${name}.html`)).href;

  async function opened(name: string, options: BrowserContextOptions): Promise<AsyncDisposable & { readonly page: Page; readonly said: string[]; readonly asked: string[] }> {
    if (browser === undefined) throw new Error("the browser did not start");
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const said: string[] = [];
    const asked: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(addressOf(name));
    return { page, said, asked, [Symbol.asyncDispose]: () => context.close() };
  }

  test.each(pages)("%s: nothing is asked of elsewhere, nothing is complained about, and nothing is wider than the window", async (name) => {
    for (const options of [phone, desk, { ...phone, colorScheme: "dark" as const }]) {
      await using open = await opened(name, options);
      const { page, said, asked } = open;
      expect(await tooWide(page)).toEqual([]);
      expect({ said, asked }).toEqual({ said: [], asked: [addressOf(name)] });
    }
  });

  test("everything is there with JavaScript off, and charts of one width only are shown", async () => {
    for (const [options, form] of [[phone, "narrow"], [desk, "wide"]] as const) {
      await using open = await opened("passed", { ...options, javaScriptEnabled: false });
      const shown = open.page.locator("#timeline ~ figure svg.chart:visible");
      expect(await shown.count()).toBe(1);
      expect(await shown.getAttribute("class")).toBe(`chart ${form}`);
      expect(await open.page.locator("script").count()).toBe(0);
      expect(await open.page.locator("h2:visible").count()).toBe(9);
    }
  });

  test.each(pages)("%s: axe finds nothing that keeps people out, light and dark, with everything unfolded", async (name) => {
    for (const colorScheme of ["light", "dark"] as const) {
      await using open = await opened(name, { ...desk, colorScheme });
      const { page } = open;
      expect(await violations(page, colorScheme === "light" ? {} : { runOnly: ["color-contrast"] })).toEqual([]);
    }
  });

  test("what is too wide, too faint or without a name would be found (control)", async () => {
    await using open = await opened("trials", phone);
    const { page } = open;
    await page.evaluate(() => document.querySelector("main")?.insertAdjacentHTML("beforeend", '<p style="width:2000px;color:#eee">faint</p><svg role="img" width="9" height="9"></svg>'));
    expect((await tooWide(page))[0]).toMatch(/^the page: 2\d{3} of 360 pixels/u);
    expect((await violations(page, { runOnly: ["color-contrast", "svg-img-alt"] })).map((line) => line.replace(/:.*/su, ""))).toEqual(["color-contrast", "svg-img-alt"]);
  });

  test("the keyboard reaches the way past the links first, then every link that is shown, in the order of the page", async () => {
    await using open = await opened("failed", desk);
    const { page } = open;
    const all = await page.locator("a:visible").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    const reached: (string | null)[] = [];
    for (let steps = 0; reached.length < all.length && steps < 400; steps += 1) {
      await page.keyboard.press("Tab");
      const focused = await page.evaluate(() => {
        const active = document.activeElement;
        const outline = active === null ? "" : getComputedStyle(active).outlineStyle;
        return { tag: active?.tagName, href: active?.getAttribute("href") ?? null, outline };
      });
      if (focused.tag === "A") reached.push(focused.href);
      if (focused.tag === "A" || focused.tag === "SUMMARY") expect(focused.outline).not.toBe("none");
    }
    expect(reached[0]).toBe("#content");
    expect(reached).toEqual(all);
  });

  test("printed from a dark screen it is light, unfolded, and has pages of A4", async () => {
    await using open = await opened("failed", { ...desk, colorScheme: "dark" });
    const { page } = open;
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(255, 255, 255)");
    expect(await page.locator("summary + *").first().isVisible()).toBe(true);
    const pdf = (await page.pdf({ format: "A4" })).toString("latin1");
    expect(pdf).toMatch(/\/MediaBox \[0 0 59[45](?:\.\d+)? 84[12](?:\.\d+)?\]/u);
    expect(pdf.match(/\/Type \/Page\b/gu)?.length).toBeGreaterThan(2);
  });
});
