import { expect, test } from "vitest";
import type { CommandResult, MachineShell } from "../machine/shell.ts";
import { observe, observeFirewall } from "./observe.ts";
import { recorded } from "./recorded.ts";

const answers: readonly (readonly [string, string])[] = [
  ["ip -j addr", "addresses"],
  ["ip -j neigh", "neighbours"],
  ["keepalived", "vrrp-master"],
  ["conntrack -L", "conntrack"],
  ["conntrack -S", "conntrackStats"],
  ["conntrackd -i", "internalCache"],
  ["conntrackd -e", "externalCache"],
  ["nft", "ruleset"],
  ["dmesg", "dmesg"],
];

function shell(name: string, overrides: Record<string, Partial<CommandResult> | Error> = {}): MachineShell {
  const unused = () => Promise.reject(new Error("not used"));
  return {
    name,
    address: "10.99.0.1",
    run: (command) => {
      const override = Object.entries(overrides).find(([part]) => command.includes(part))?.[1];
      if (override instanceof Error) return Promise.reject(override);
      const file = answers.find(([part]) => command.includes(part))?.[1];
      if (file === undefined) return Promise.reject(new Error(`no recording for ${command}`));
      return Promise.resolve({ stdout: recorded(file), stderr: "", exitCode: 0, ...override });
    },
    must: unused,
  };
}

function bundle() {
  const files = new Map<string, string>();
  return { files, save: (path: string, text: string) => Promise.resolve(void files.set(path, text)) };
}

test("every view of every machine is read, and its raw answer kept where the look says", async () => {
  const { files, save } = bundle();
  const seen = await observe({
    moment: "failover-before",
    firewalls: [shell("fw-1"), shell("fw-2")],
    endpoints: [shell("client")],
    bridges: ["br0"],
    readForwarding: () => Promise.resolve(recorded("forwarding")),
    save,
  });
  const looks = [...Object.values(seen.firewalls).flatMap((views) => Object.values(views)), ...Object.values(seen.neighbours), ...Object.values(seen.forwarding)];
  expect(looks).toHaveLength(18);
  expect(looks.filter((look) => !look.ok)).toEqual([]);
  expect(looks.map((look) => look.source).every((source) => files.has(source))).toBe(true);
  expect(files.get("observations/failover-before/fw-1/conntrack.txt")).toBe(recorded("conntrack"));
});

test("conntrackd that does not run is a failed look, never an empty cache", async () => {
  const { files, save } = bundle();
  const stderr = recorded("conntrackd-not-running.stderr");
  const views = await observeFirewall(shell("fw-2", { "conntrackd -e": { stdout: "", stderr, exitCode: 1 } }), { label: "before", save });
  expect(views.externalCache).toMatchObject({ ok: false, error: expect.stringContaining("is conntrackd running?") as string });
  expect(files.get(views.externalCache.source)).toContain("can't connect");
  expect(views.conntrack.ok).toBe(true);
});

test("a machine that does not answer, or answers nonsense, is a failed look", async () => {
  const { save } = bundle();
  const views = await observeFirewall(shell("fw-2", { dmesg: new Error("connection lost"), "nft -j": { stdout: "{" } }), { label: "before", save });
  expect(views.loggedPackets).toMatchObject({ ok: false, error: "connection lost" });
  expect(views.dropCounters).toMatchObject({ ok: false, error: expect.stringContaining("no JSON") as string });
});

test("an aborted run and a full disk are not the machine's fault", async () => {
  const { save } = bundle();
  const broken = shell("fw-2", { dmesg: new Error("connection lost") });
  await expect(observeFirewall(broken, { label: "before", save, signal: AbortSignal.abort(new Error("interrupted")) })).rejects.toThrow("interrupted");
  await expect(observeFirewall(shell("fw-2"), { label: "before", save: () => Promise.reject(new Error("disk full")) })).rejects.toThrow("disk full");
});
