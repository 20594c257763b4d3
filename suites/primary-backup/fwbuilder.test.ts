import { createHash } from "node:crypto";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scriptPath } from "../../lab/config/firewallBuilderFile.ts";
import { exitCode, Failure } from "../../lab/failure/failure.ts";
import { powerCut } from "../../lab/faults/powerCut.ts";
import { labFolder } from "../../lab/host/labFolder.ts";
import { keptConfigFolder } from "../../lab/machine/keptConfig.ts";
import type { MachineShell } from "../../lab/machine/shell.ts";
import { parseConntrackdStats, type ConntrackdHealth } from "../../lab/observe/conntrackd.ts";
import { silentProgress } from "../../lab/progress/progress.ts";
import { withCompiledPolicy } from "../../lab/run/compiledPolicy.ts";
import { failback } from "../../lab/run/failback.ts";
import { failover } from "../../lab/run/failover.ts";
import { failoverStory } from "../../lab/run/powerCutStory.ts";
import { fixturesFolder, prepare } from "../../lab/run/prepare.ts";
import { primaryBackup } from "../../lab/topology/primaryBackup.ts";
import { mixedFlows } from "../../lab/traffic/flowSpec.ts";
import { conducted } from "../conducted.ts";
import { everyNight } from "../everyNight.ts";

const counts = { tcp: 8, udp: 2, ssh: 2 };
const flows = counts.tcp + counts.udp + counts.ssh;

/** A firewall as its policy left it. */
interface Loaded {
  /** Of the script that the firewall loads. */
  readonly sha256: string;
  readonly addresses: string;
  /** By iptables-save, without counters and the time. */
  readonly rules: string;
}

async function loaded(shell: MachineShell): Promise<Loaded> {
  const [sum, addresses, rules] = await Promise.all([
    shell.must(`sha256sum /${scriptPath(shell.name)}`),
    shell.must("ip -o -4 addr show | awk '{print $2, $4}'"),
    shell.must("iptables-save | sed -e '/^#/d' -e 's/ \\[[0-9:]*\\]$//'"),
  ]);
  return { sha256: sum.split(" ")[0] ?? "", addresses, rules };
}

describe("a policy of Firewall Builder's: fw-1 loses its power under live flows, and comes back", () => {
  const health = new Map<string, ConntrackdHealth>();
  const before = new Map<string, Loaded>();
  let again: Loaded;

  const run = conducted({
    config: "fwbuilder",
    fault: { id: "power-cut", target: "fw-1" },
    story: async (lab) => {
      await lab.ownedBy("fw-1");
      await lab.open(mixedFlows(counts));
      await lab.replicatedTo("fw-2");
      for (const name of ["fw-1", "fw-2"]) {
        const { shell } = lab.machine(name);
        health.set(name, parseConntrackdStats(await shell.must("conntrackd -s")));
        before.set(name, await loaded(shell));
      }
      const active = lab.machine("fw-1").shell;
      await active.must(`/${scriptPath("fw-1")} start`);
      again = await loaded(active);
      await failover(lab, { from: "fw-1", to: "fw-2", strike: () => powerCut(lab.machine("fw-1")), meanwhile: () => lab.lab.halfBoot("fw-1") });
      await failback(lab, { from: "fw-2", to: "fw-1" });
    },
  });

  test("both firewalls loaded what the policy was compiled to, byte for byte, and the bundle has it", async () => {
    for (const [name, { sha256, rules }] of before) {
      const script = await readFile(join(run().bundle, keptConfigFolder, name, scriptPath(name)));
      expect(script.toString()).toMatch(/^#!\/bin\/sh/u);
      expect(sha256).toBe(createHash("sha256").update(script).digest("hex"));
      expect(rules).toContain("-A POSTROUTING -s 192.168.0.0/24 -o eth0 -j SNAT --to-source 192.168.1.100 --random");
      expect(rules).toContain(":FORWARD DROP");
    }
    expect([...before.keys()]).toEqual(["fw-1", "fw-2"]);
  });

  test("the policy leaves keepalived's addresses alone, also when it is loaded again under the flows", () => {
    expect(before.get("fw-1")?.addresses).toMatch(/^eth0 192\.168\.1\.100\/24$/mu);
    expect(before.get("fw-2")?.addresses).not.toMatch(/192\.168\.[01]\.100/u);
    expect(again).toEqual(before.get("fw-1"));
  });

  test("conntrackd -s is healthy on both, by its figures: flows in the caches, nothing failed, malformed or lost", () => {
    const sound = { createFailed: 0, updateFailed: 0, destroyFailed: 0 };
    for (const name of ["fw-1", "fw-2"]) {
      expect(health.get(name), name).toMatchObject({ internal: sound, external: sound, sendErrors: 0, receiveErrors: 0, malformed: 0, lost: 0 });
      expect(health.get(name)?.sentPackets, name).toBeGreaterThan(0);
      expect(health.get(name)?.receivedPackets, name).toBeGreaterThan(0);
    }
    expect(health.get("fw-1")?.internal.entries).toBeGreaterThanOrEqual(flows);
    expect(health.get("fw-2")?.external.entries).toBeGreaterThanOrEqual(flows);
  });

  test("every established flow survives, there and back, within the bound, and the verdict is pass", () => {
    expect(run()).toPass("steady-before", "replicated-before", "fault-bit", "vips-moved", "flows-survive", "outage-in-bound", "no-drops-on-survivor", "state-on-survivor", "new-connections");
    const { verdict, checks, flows: told } = run().run;
    expect(verdict).toBe("pass");
    expect(new Set(checks.map(({ phase }) => phase))).toEqual(new Set(["run", "failover", "failback"]));
    expect(told).toHaveLength(flows);
  });
});

/** The control: the same policy without replication. primary-backup.sh must not bring up the daemon that is to be missing. */
everyNight("the same policy, and no conntrackd", () => {
  const run = conducted({
    config: "fwbuilder",
    control: "no-conntrackd",
    fault: { id: "power-cut", target: "fw-1" },
    story: failoverStory(counts, { lost: true }),
  });

  test("the run fails: no state was on fw-2, which drops what it knows nothing of, and no flow survives", () => {
    expect(run().run.verdict).toBe("fail");
    expect(run()).toFail("replicated-before", "flows-survive", "no-drops-on-survivor", "state-on-survivor");
    expect(run().run.flows.filter(({ survived }) => survived)).toEqual([]);
  });

  test("nothing else is to blame: all was steady, the fault bit, the addresses moved, the policy held", () => {
    expect(run()).toPass("steady-before", "fault-bit", "vips-moved", "new-connections");
  });
});

describe("a policy that does not compile is refused in fwb_ipt's own words, as bad input", () => {
  test.each<readonly [string, (policy: string) => string, RegExp]>([
    ["broken XML", (policy) => policy.slice(0, 20_000), /^compile fw-1 of policy\.fwb by fwb_ipt: policy\.fwb:367: parser error : /u],
    ["a firewall object that is no machine", (policy) => policy.replace('name="fw-2"', 'name="lj-fw-2"'), /^compile fw-2 of .*'fw-2' not found; the file has the firewall objects fw-1, lj-fw-2\. .*fw-1, fw-2/u],
  ])("%s", async (_, harmed, line) => {
    const signal = AbortSignal.timeout(120_000);
    const tree = await mkdtemp(join(labFolder(), "policy-"));
    await writeFile(join(tree, "policy.fwb"), harmed(await readFile(join(fixturesFolder, "fwbuilder", "policy.fwb"), "utf8")));
    const prepared = await prepare({ topology: primaryBackup, accelerator: "auto", progress: silentProgress, signal });
    const refused: unknown = await withCompiledPolicy({ topology: primaryBackup, trees: [tree], prepared, progress: silentProgress, signal }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Failure);
    expect(refused).toMatchObject({ exit: exitCode.usage, message: expect.stringMatching(line) as unknown });
  });
});
