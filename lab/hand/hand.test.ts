import { describe, expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import { placeOf } from "./place.ts";
import { cutStatus, takenStatus } from "./status.fixture.ts";
import { statusText } from "./statusText.ts";
import { requestSchema, type LabStatus } from "./words.ts";

describe("where a lab stands", () => {
  test("each has a folder of its own, and a socket there", () => {
    expect(placeOf("night-2", "/cache")).toEqual({ name: "night-2", folder: "/cache/standing/night-2", socket: "/cache/standing/night-2/socket", log: "/cache/standing/night-2/log.txt", pid: "/cache/standing/night-2/pid" });
  });

  test.each(["", "..", "a/b", "-x", "Lab", "a b", "x".repeat(31)])("%j is no name for one", (name) => {
    expect(() => placeOf(name, "/cache")).toThrow(Failure);
  });

  test("a socket whose path is longer than the kernel takes is refused before anything is started", () => {
    expect(() => placeOf("lab", `/${"x".repeat(100)}`)).toThrow(/107 bytes/u);
  });
});

describe("what is asked", () => {
  test.each([
    { verb: "explode" },
    { verb: "fault", id: "meteor", target: "fw-1" },
    { verb: "session", machine: "fw-1", command: null, terminal: { type: "xterm", columns: 0, rows: 24 } },
    { verb: "capture", point: "br0" },
  ])("%j is nothing that a lab understands", (request) => {
    expect(requestSchema.safeParse(request).success).toBe(false);
  });
});

const status: LabStatus = { ...takenStatus, flows: cutStatus.flows, snapshots: ["before"] };

describe("how a lab is", () => {
  const lineOf = (text: string, start: string) => text.split("\n").find((line) => line.startsWith(start)) ?? "";

  test("each machine has its line: who is off, who holds the addresses, what the replication lost", () => {
    const text = statusText("lab", status, 1_120_000);
    expect(lineOf(text, "fw-1")).toMatch(/^fw-1\s+firewall\s+off/u);
    expect(lineOf(text, "fw-2")).toMatch(/up\s+10\.99\.0\.13\s+MASTER\s+192\.168\.1\.100 192\.168\.0\.100\s+14\s+14 own, 2 of the other's, 3 lost, 0 malformed/u);
  });

  test("flows that stand still are named, and what is broken with its age", () => {
    const text = statusText("lab", status, 1_120_000);
    expect(lineOf(text, "flows")).toMatch(/8 of 10 moving; tcp-003, udp-001 stand still/u);
    expect(lineOf(text, "broken")).toMatch(/power-cut of fw-1, 1 min 5 s ago/u);
  });

  test("a pair whose instances disagree is told instance by instance, and a firewall that hangs as one that does not answer", () => {
    const [client, , fw2] = status.machines;
    if (client === undefined || fw2?.firewall === undefined || fw2.firewall === null) throw new Error("the fixture has a firewall");
    const torn = { ...fw2, firewall: { ...fw2.firewall, vrrp: [{ name: "outside", state: "MASTER", priority: 100 }, { name: "inside", state: "BACKUP", priority: 100 }] } };
    expect(lineOf(statusText("lab", { ...status, machines: [torn] }, 0), "fw-2")).toContain("outside MASTER, inside BACKUP");
    expect(lineOf(statusText("lab", { ...status, machines: [{ ...fw2, firewall: null }] }, 0), "fw-2")).toContain("no answer");
  });
});
