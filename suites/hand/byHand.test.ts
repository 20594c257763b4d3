import { once } from "node:events";
import { stat } from "node:fs/promises";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import type { LabStatus } from "../../lab/hand/words.ts";
import { repository } from "../lifecycle/command.ts";
import { sitAt } from "./sitting.ts";
import { bothAddresses, holds, processesOf, standing } from "./standing.ts";

const allMove = (status: LabStatus): void => expect(status.flows).toMatchObject({ open: 10, moving: 10, still: [] });

describe("a lab by hand", () => {
  const { place, fwlab, statusNow, untilStatus } = standing(10);

  test("status tells the machines, who has the duty, and the replication", async () => {
    const status = await statusNow();
    expect(status.machines.map((machine) => `${machine.name} ${machine.state}`)).toEqual(["client up", "fw-1 up", "fw-2 up", "omarine up"]);
    const [fw1, fw2] = ["fw-1", "fw-2"].map((machine) => status.machines.find((each) => each.name === machine)?.firewall);
    expect(fw1?.vrrp?.map(({ state }) => state)).toEqual(["MASTER", "MASTER"]);
    expect(fw2).toMatchObject({ holds: [], vrrp: [{ state: "BACKUP" }, { state: "BACKUP" }] });
    expect(fw2?.replication?.external).toBeGreaterThanOrEqual(10);
    expect(fw1?.conntrackEntries).toBeGreaterThanOrEqual(10);
  });

  test("a second lab of that name is refused, and the first one does not notice", async () => {
    const { exitCode, stderr } = await fwlab(["up"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(/^fwlab: bring the lab \S+ up: it stands already\./u) as string });
    allMove(await statusNow());
  });

  test("ssh gives a command its input, both outputs, and its exit code", async () => {
    const { stdout, stderr, exitCode } = await fwlab(["ssh", "fw-2", "--", "read line; echo \"$(hostname) heard $line\"; echo aside >&2; exit 7"], { input: "a word\n" });
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: "fw-2 heard a word", stderr: "aside", exitCode: 7 });
  });

  test("the console runs commands where no network is left that ssh could use, and takes keys of one alone", async () => {
    await using sitting = sitAt(place, "fw-2");
    await sitting.untilSeen(/fw-2: Enter begins a shell of root/u);
    sitting.type("\r");
    await sitting.untilSeen(/root@fw-2:\S*# /u);
    expect((await fwlab(["ssh", "fw-2", "--", "true"])).exitCode).toBe(0);
    sitting.type("nsenter --net=/run/fwlab/mgmt-netns ip link set mgmt0 down; echo down: $?\r");
    await sitting.untilSeen(/down: 0/u);
    const refused = await fwlab(["ssh", "fw-2", "--", "true"]);
    expect(refused.stderr).toMatch(/^fwlab: open a session on fw-2: it does not answer within \d+ s\..*console/u);
    expect(refused.exitCode).not.toBe(0);
    sitting.type("echo $(hostname) as $(id -un)\r");
    await sitting.untilSeen(/fw-2 as root/u);
    await using second = sitAt(place, "fw-2");
    await second.untilSeen(/type at the console of fw-2: somebody else does/u);
    expect(await second.ended()).toBe(2);
    sitting.type("nsenter --net=/run/fwlab/mgmt-netns ip link set mgmt0 up; exit\r");
    await sitting.untilSeen(/logout/u);
    sitting.type("\u001d");
    expect(await sitting.ended()).toBe(0);
    expect((await fwlab(["ssh", "fw-2", "--", "true"])).exitCode).toBe(0);
  }, 300_000);

  test("logs, console and conntrack print what the machine has", async () => {
    expect((await fwlab(["logs", "fw-1", "--unit", "keepalived"])).stdout).toMatch(/Keepalived_vrrp.*MASTER STATE/u);
    expect((await fwlab(["console", "fw-1", "--no-follow"])).exitCode).toBe(0);
    expect((await fwlab(["conntrack", "fw-1"])).stdout).toMatch(/^ipv4\s+2 tcp\s.*src=192\.168\.0\.3 dst=192\.168\.1\.3/mu);
    expect((await fwlab(["conntrack", "fw-2", "--external"])).stdout).toMatch(/^tcp\s.*src=192\.168\.0\.3 dst=192\.168\.1\.3/mu);
  });

  test("a capture is read by tshark while it grows, and holds what its filter lets through", async () => {
    const pipe = `node scripts/bootstrap.mjs capture br0 --filter vrrp --lab ${place.name} | tshark -r - -c 3 -T fields -e ip.src -e _ws.col.Protocol`;
    const read = await execa("bash", ["-c", pipe], { cwd: repository, stdin: "ignore", timeout: 60_000 });
    expect(new Set(read.stdout.split("\n"))).toEqual(new Set(["192.168.1.1\tVRRP"]));
  });

  test("watch serves a page that tells it live, until it is interrupted", async () => {
    const watch = execa("node", ["scripts/bootstrap.mjs", "watch", "--lab", place.name], { cwd: repository, stdin: "ignore", reject: false });
    const [chunk] = (await once(watch.stdout, "data")) as [Buffer];
    const page = await fetch(/^http:\S+/u.exec(chunk.toString())?.[0] ?? "");
    expect(await page.text()).toMatch(/<th scope="row">fw-1<\/th><td>up<\/td><td>MASTER<\/td><td>192\.168\.1\.100, 192\.168\.0\.100<\/td>/u);
    watch.kill("SIGINT");
    expect((await watch).exitCode).toBe(0);
  });

  test.each<readonly [words: readonly string[], line: RegExp]>([
    [["capture", "br9"], /no such bridge or tap; it has br0, /u],
    [["capture", "br0", "--filter", "no such words"], /capture at br0 what "no such words" lets through: /u],
    [["ssh", "fw-3", "--", "true"], /no machine fw-3; it has client, fw-1, fw-2, omarine/u],
    [["fault", "link-block", "fw-1.eth7"], /no NIC eth7; it has eth0, /u],
    [["heal", "fw-1"], /nothing was broken there by hand/u],
    [["restore", "never-saved"], /no such snapshot; it has none/u],
  ])("%j is refused in one line", async (words, line) => {
    const { exitCode, stderr } = await fwlab(words);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(line) as string });
    expect(stderr.split("\n")).toHaveLength(1);
  });

  test("a power cut is survived; what has no power is told so; and the lab goes back to what was saved, flows and all", async () => {
    expect((await fwlab(["snapshot", "whole"])).exitCode).toBe(0);
    await untilStatus(allMove);
    expect((await fwlab(["fault", "power-cut", "fw-1"])).stdout).toMatch(/^QEMU of fw-1 \(pid \d+\) ended by SIGKILL/u);
    expect(await fwlab(["fault", "power-cut", "fw-1"])).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/it has a power-cut already/u) as string });
    expect(await fwlab(["ssh", "fw-1", "--", "true"])).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/its power is off/u) as string });
    await untilStatus((status) => {
      expect(holds(status, "fw-2")).toEqual(bothAddresses);
      expect(status.broken).toMatchObject([{ id: "power-cut", target: "fw-1" }]);
      allMove(status);
    });
    const { exitCode, stderr } = await fwlab(["restore", "whole"]);
    expect(exitCode, stderr).toBe(0);
    await untilStatus((status) => {
      expect(holds(status, "fw-1")).toEqual(bothAddresses);
      expect(status.broken).toEqual([]);
      allMove(status);
    });
  });

  test("a link that is blocked stops the flows that speak, which status names, until it is healed", async () => {
    expect((await fwlab(["fault", "link-block", "client.eth0"])).exitCode).toBe(0);
    await untilStatus(({ flows, broken }) => {
      expect(broken).toMatchObject([{ id: "link-block", target: "client.eth0" }]);
      // An idle flow has nothing to show, and counts while it is open.
      expect(flows?.still.length).toBeGreaterThanOrEqual(7);
    });
    expect((await fwlab(["heal"])).stdout).toBe("healed: link-block of client.eth0");
    await untilStatus(allMove);
  });

  test("down takes it away, with every process and file of it", async () => {
    expect(await processesOf(place)).not.toEqual([]);
    expect((await fwlab(["down"])).exitCode).toBe(0);
    expect(await processesOf(place)).toEqual([]);
    await expect(stat(place.folder)).rejects.toThrow(/ENOENT/u);
    expect(await fwlab(["status"])).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/no lab of that name stands/u) as string });
  });
});
