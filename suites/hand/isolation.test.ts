import { readFile, stat } from "node:fs/promises";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { clientKeyFile } from "../../lab/image/keys.ts";
import { processesOf, standing } from "./standing.ts";

const machines = ["client", "fw-1", "fw-2", "omarine"];

/** Answers of ss(8) and ip(8) in the lab's own network, where its machines' taps are. */
async function inLab(pid: number, command: readonly string[]): Promise<string> {
  const { stdout } = await execa("nsenter", ["--net", "--target", String(pid), "--", ...command], { env: { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` } });
  return stdout;
}

describe("a lab and the world", () => {
  const { place, fwlab } = standing(2);
  const anyPid = async (): Promise<number> => {
    const [process] = await processesOf(place);
    if (process === undefined) throw new Error("the lab has no process");
    return process.pid;
  };

  test("the control: guests reach each other", async () => {
    expect((await fwlab(["ssh", "client", "--", "ping -c 1 -W 2 192.168.0.1"])).exitCode).toBe(0);
  });

  test.each(machines)("%s reaches no address that the lab did not make, and no name server", async (machine) => {
    // 192.0.2.1 and 2001:db8::1 are nobody's (RFC 5737, RFC 3849); the others are the world's best known.
    const words = ["192.0.2.1", "1.1.1.1", "2001:db8::1", "2606:4700:4700::1111"].map((address) => `ping -c 1 -W 1 ${address} >/dev/null 2>&1 && echo reached ${address}`);
    const { stdout } = await fwlab(["ssh", machine, "--", [...words, "getent hosts debian.org && echo resolved", "true"].join("; ")]);
    expect(stdout).toBe("");
  });

  test("the lab's network has no way out: no default route, no IPv6, and no link but its bridges and taps", async () => {
    const pid = await anyPid();
    const routes = JSON.parse(await inLab(pid, ["ip", "-json", "route"])) as { dst: string; dev: string }[];
    expect(routes.map(({ dst, dev }) => `${dst} ${dev}`)).toEqual(["10.99.0.0/24 mgmt"]);
    expect((JSON.parse(await inLab(pid, ["ip", "-6", "-json", "address"])) as { addr_info?: unknown[] }[]).flatMap(({ addr_info = [] }) => addr_info)).toEqual([]);
    const links = (JSON.parse(await inLab(pid, ["ip", "-json", "-details", "link"])) as { ifname: string; linkinfo?: { info_kind?: string } }[]).filter(({ ifname }) => ifname !== "lo");
    expect(new Set(links.map(({ linkinfo }) => linkinfo?.info_kind))).toEqual(new Set(["bridge", "tun"]));
  });

  test("nothing of the host's listens where guests could reach it", async () => {
    expect(await inLab(await anyPid(), ["ss", "-H", "--listening", "--tcp", "--udp", "--numeric"])).toBe("");
  });

  test("its socket, its keys and its files are for the user alone", async () => {
    for (const file of [place.folder, place.log, clientKeyFile()]) expect({ file, others: (await stat(file)).mode & 0o077 }).toEqual({ file, others: 0 });
  });

  test("no key stands in the log, nor in what processes were started with", async () => {
    const secret = (await readFile(clientKeyFile(), "utf8")).split("\n").find((line) => line.length > 40 && !line.startsWith("-")) ?? "";
    expect(secret).not.toBe("");
    expect(await readFile(place.log, "utf8")).not.toContain(secret);
    for (const { commandLine } of await processesOf(place)) expect(commandLine).not.toContain(secret);
  });
});
