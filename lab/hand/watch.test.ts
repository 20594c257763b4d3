import axe from "axe-core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launched, noBrowser } from "../report/html/chromium.rig.ts";
import { cutStatus, takenStatus, wellStatus } from "./status.fixture.ts";
import { serveWatch } from "./watchServer.ts";
import type { LabStatus } from "./words.ts";

/** A lab that is as it was last said to be; undefined for one that is gone. */
function scripted() {
  let now: LabStatus | undefined = wellStatus;
  return {
    becomes: (status: LabStatus | undefined) => (now = status),
    look: () => (now === undefined ? Promise.reject(new Error("no lab of that name stands")) : Promise.resolve(now)),
  };
}

const serve = (look: () => Promise<LabStatus>) => serveWatch({ name: "lab", look, port: 0, pauseMs: 20, signal: new AbortController().signal });

describe("who is let in", () => {
  test("the page is on loopback alone, and for whoever has its key; nothing but looking is done there", async () => {
    await using server = await serve(scripted().look);
    const url = new URL(server.url);
    expect(url.hostname).toBe("127.0.0.1");
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(new URL("/", url))).status).toBe(403);
    expect((await fetch(new URL("/events?key=0123", url))).status).toBe(403);
    expect((await fetch(new URL(`/other${url.search}`, url))).status).toBe(404);
    expect((await fetch(url, { method: "POST" })).status).toBe(405);
  });

  test("a port that is taken is told in one line", async () => {
    await using server = await serve(scripted().look);
    const port = Number(new URL(server.url).port);
    await expect(serveWatch({ name: "lab", look: scripted().look, port, pauseMs: 20, signal: new AbortController().signal })).rejects.toThrow(/EADDRINUSE.*Leave --port out/u);
  });

  test("a lab that is gone ends it, and says why", async () => {
    const lab = scripted();
    await using server = await serve(lab.look);
    lab.becomes(undefined);
    expect(await server.ended).toBe("no lab of that name stands");
  });
});

describe.skipIf(noBrowser !== undefined)("in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launched();
  });
  afterAll(() => browser.close());

  test("the page shows the lab live, without being loaded again, and says when no word comes any more", async () => {
    const lab = scripted();
    const server = await serve(lab.look);
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    await page.goto(server.url);
    await page.getByRole("row", { name: /fw-1 up MASTER 192\.168\.1\.100, 192\.168\.0\.100/u }).waitFor();
    await page.evaluate(() => ((globalThis as unknown as { loaded: string }).loaded = "once"));
    lab.becomes(cutStatus);
    await page.getByText("2 flows stand still: tcp-003, udp-001").waitFor();
    lab.becomes(takenStatus);
    await page.getByRole("row", { name: /fw-2 up MASTER 192\.168\.1\.100/u }).waitFor();
    const changes = await page.locator("ol.changes li").allTextContents();
    expect(changes.map((text) => text.replace(/^.*UTC /u, ""))).toEqual(["fw-2 took 192.168.1.100 and 192.168.0.100", "fw-2 missed messages of the replication: conntrackd counts 3 more lost", "all 10 flows move again", "power-cut of fw-1", "fw-1 is off", "2 flows stand still: tcp-003, udp-001"]);
    expect(await page.evaluate(() => (globalThis as unknown as { loaded?: string }).loaded)).toBe("once");
    expect(complaints).toEqual([]);
    await server[Symbol.asyncDispose]();
    await page.getByText("no word from the lab").waitFor();
    await page.close();
  });

  test("its words cannot become markup, it fits a phone, and axe finds nothing against it", async () => {
    const lab = scripted();
    lab.becomes({ ...wellStatus, config: "<img src=x onerror=alert(1)>", flows: { open: 10, moving: 9, still: ["<b>tcp</b>"] } });
    await using server = await serve(lab.look);
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    await page.goto(server.url);
    await page.getByText("<img src=x onerror=alert(1)>").waitFor();
    expect(await page.locator("img, main b").count()).toBe(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    // A page whose policy lets no other script run is looked at by evaluation.
    await page.evaluate(axe.source);
    const found = await page.evaluate(async () => (await (globalThis as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ["violations"] })).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 120) ?? ""}`));
    expect(found).toEqual([]);
    await page.close();
  });
});
