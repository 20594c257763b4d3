import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { runSchema } from "../../lab/evidence/run.ts";
import { powerCut } from "../../lab/faults/powerCut.ts";
import { clientKeyFile } from "../../lab/image/keys.ts";
import { judge } from "../../lab/judge/judge.ts";
import { readBundle } from "../../lab/report/readBundle.ts";
import { failback } from "../../lab/run/failback.ts";
import { failover } from "../../lab/run/failover.ts";
import { packetsOf } from "../../lab/run/packetsOf.ts";
import { mixedFlows } from "../../lab/traffic/flowSpec.ts";
import { conducted } from "../conducted.ts";

/** Something that only the environment of whoever runs the suite knows. */
const secret = randomUUID();
process.env["FWLAB_SUITES_SECRET"] = secret;

/*
 *   client ── br1 ──┬─ fw-1 ─┬── br0 ── omarine
 *                   └─ fw-2 ─┘
 */
describe("fw-1 loses its power under fifty flows, and comes back", () => {
  const run = conducted({
    config: "omarine-snat",
    fault: { id: "power-cut", target: "fw-1" },
    story: async (lab) => {
      await lab.ownedBy("fw-1");
      await lab.open(mixedFlows(50));
      await lab.replicatedTo("fw-2");
      await failover(lab, { from: "fw-1", to: "fw-2", strike: () => powerCut(lab.machine("fw-1")), meanwhile: () => lab.lab.halfBoot("fw-1") });
      await failback(lab, { from: "fw-2", to: "fw-1" });
    },
  });

  test("all was well before, on each way, and the fault bit", () => {
    expect(run()).toPass("steady-before", "replicated-before", "fault-bit");
  });

  test("the virtual addresses move, and everybody learns of it", () => {
    expect(run()).toPass("vips-moved");
  });

  test("every established flow survives, there and back, within the bound", () => {
    expect(run()).toPass("flows-survive", "outage-in-bound");
  });

  test("the survivor drops nothing that it should let through", () => {
    expect(run()).toPass("no-drops-on-survivor");
  });

  test("every connection's state is on the survivor, NAT included", () => {
    expect(run()).toPass("state-on-survivor");
  });

  test("new connections work, and the policy never opens", () => {
    expect(run()).toPass("new-connections");
  });

  test("the bundle has no key of the lab's, and nothing of the host's environment", async () => {
    const key = (await readFile(clientKeyFile(), "utf8")).split("\n").find((line) => line.length > 40 && !line.startsWith("-")) ?? "";
    const found = new Map<string, string[]>([key, secret, "vrrp_instance"].map((words) => [words, []]));
    for (const entry of await readdir(run().bundle, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const content = await readFile(join(entry.parentPath, entry.name));
      const plain = entry.name.endsWith(".gz") ? gunzipSync(content) : content;
      for (const [words, files] of found) if (plain.includes(words)) files.push(entry.name);
    }
    expect([key, secret].map((words) => found.get(words))).toEqual([[], []]);
    // The control: what is in the bundle is found there.
    expect(found.get("vrrp_instance")).toContain("keepalived.conf");
  });

  test("the verdict is pass, over both ways and all kinds of flows", () => {
    const { verdict, checks, flows } = run().run;
    expect(verdict).toBe("pass");
    expect(new Set(checks.map(({ phase }) => phase))).toEqual(new Set(["run", "failover", "failback"]));
    expect(flows).toHaveLength(50);
    expect(new Set(flows.map(({ kind, mode }) => `${kind} ${mode}`))).toEqual(
      new Set(["tcp client", "tcp server", "tcp both", "tcp idle", "udp request", "ssh request"]),
    );
  });

  test("SNAT gave every flow another source port than its own, so that lost NAT state would show", () => {
    const kept = run().run.flows.filter(({ tuple, natTuple }) => tuple.source.port === natTuple.source.port);
    expect(kept.length).toBeLessThanOrEqual(1);
  });

  test("the bundle holds a run.json of the published form, and evidence that is judged to the same again", async () => {
    const { bundle, run: told } = run();
    const written = runSchema.parse(JSON.parse(await readFile(join(bundle, "run.json"), "utf8")));
    expect(written).toEqual(told);
    const evidence = await readBundle(bundle);
    const again = judge(evidence, { packets: await packetsOf(bundle, evidence, new AbortController().signal) });
    const { verdict, checks, flows, outages } = told;
    expect({ verdict: again.verdict, checks: again.checks, flows: again.flows, outages: again.outages }).toEqual({ verdict, checks, flows, outages });
  });
});
