import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runSchema } from "../evidence/run.ts";
import { Failure } from "../failure/failure.ts";
import { healthyRun } from "../judge/healthyRun.ts";
import { judge } from "../judge/judge.ts";
import { Bundle, newRunId, runJsonSchema } from "./bundle.ts";
import { resultOf, start } from "./healthyResult.ts";
import { readBundle, readRun } from "./readBundle.ts";

let runs: string;
beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), "fwlab-bundle-"));
});
afterEach(() => rm(runs, { recursive: true }));

const create = () => Bundle.create(runs, start);

describe("a bundle", () => {
  test("says invalid from its first moment", async () => {
    const { folder } = await create();
    expect(runSchema.parse(JSON.parse(await readFile(join(folder, "run.json"), "utf8")))).toMatchObject({ verdict: "invalid", reason: "the run did not finish", id: start.id });
  });

  test("keeps evidence that can be judged again to the same result", async () => {
    const bundle = await create();
    const evidence = healthyRun(50);
    await bundle.writeEvidence(evidence);
    await bundle.writeRun(resultOf(50));
    const read = await readBundle(bundle.folder);
    expect(read).toEqual(evidence);
    expect(judge(read)).toEqual(judge(evidence));
    expect(await readRun(bundle.folder)).toEqual(resultOf(50));
    expect(await readdir(join(bundle.folder, "ledgers"))).toHaveLength(50);
  });

  test("keeps raw answers, whole, and leaves no temporary files", async () => {
    const { folder, save } = await create();
    await Promise.all(Array.from({ length: 20 }, (_, index) => save("observations/before/fw-1/conntrack.txt", String(index).repeat(10_000))));
    expect(await readdir(join(folder, "observations/before/fw-1"))).toEqual(["conntrack.txt"]);
    expect((await readFile(join(folder, "observations/before/fw-1/conntrack.txt"), "utf8")).length % 10_000).toBe(0);
  });

  test("is never written into twice, nor beside", async () => {
    const { save } = await create();
    await expect(create()).rejects.toThrow(Failure);
    await expect(Bundle.create(runs, { ...start, id: "../x" })).rejects.toThrow(Failure);
    await expect(save("../x", "")).rejects.toThrow("leads out of the bundle");
    await expect(save("run.json/x", "")).rejects.toThrow(Failure);
  });

  test("takes no result that is not by the schema", async () => {
    const bundle = await create();
    await expect(bundle.writeRun({ ...resultOf(6), durations: { boot: 1 } })).rejects.toThrow("write run.json");
    expect((await readRun(bundle.folder)).reason).toBe("the run did not finish");
  });
});

describe("reading what is not whole", () => {
  async function written(): Promise<Bundle> {
    const bundle = await create();
    await bundle.writeEvidence(healthyRun());
    return bundle;
  }

  test.each(["evidence.json", "ledgers/tcp-000.json"])("%s cut short", async (file) => {
    const { folder } = await written();
    const path = join(folder, file);
    await writeFile(path, (await readFile(path, "utf8")).slice(0, -20));
    await expect(readBundle(folder)).rejects.toThrow(`${file}: cut short`);
  });

  test.each(["evidence.json", "ledgers/udp-005.json"])("%s missing", async (file) => {
    const { folder } = await written();
    await rm(join(folder, file));
    await expect(readBundle(folder)).rejects.toThrow(`${file}: ENOENT`);
  });

  test("a newer fwlab's bundle", async () => {
    const { folder, save } = await written();
    await save("evidence.json", JSON.stringify({ schema: 2, beauty: true }));
    await expect(readBundle(folder)).rejects.toThrow("evidence.json is of schema 2, and this fwlab knows up to 1");
  });

  test("another form, and a ledger in the wrong place", async () => {
    const { folder, save } = await written();
    await save("ledgers/tcp-000.json", await readFile(join(folder, "ledgers/tcp-001.json")));
    await expect(readBundle(folder)).rejects.toThrow("it is the ledger of tcp-001");
    await save("evidence.json", JSON.stringify({ schema: 1 }));
    await expect(readBundle(folder)).rejects.toThrow(Failure);
  });
});

test("run ids sort by time and are folder names", () => {
  expect(newRunId(new Date("2026-11-20T16:00:32Z"))).toMatch(/^2026-11-20T16-00-32Z-[0-9a-f]{4}$/u);
});

test("run.json has a published JSON Schema", () => {
  expect(runJsonSchema()).toMatchObject({ type: "object", properties: { schema: { const: 1 }, verdict: { enum: ["pass", "fail", "invalid"] } } });
});
