import { expect, test } from "vitest";
import { changesBetween } from "./changes.ts";
import { cutStatus, takenStatus, wellStatus } from "./status.fixture.ts";
import type { LabStatus } from "./words.ts";

const told = (before: LabStatus, after: LabStatus) => changesBetween(before, after, 7).map(({ text, bad }) => `${bad ? "! " : ""}${text}`);

test("a lab that is left alone changes nothing", () => {
  expect(told(wellStatus, wellStatus)).toEqual([]);
});

test("a power cut: what was broken, who is off, which flows stand still", () => {
  expect(told(wellStatus, cutStatus)).toEqual(["! power-cut of fw-1", "! fw-1 is off", "! 2 flows stand still: tcp-003, udp-001"]);
});

test("a takeover: who took what, what the replication lost, that all flows move again", () => {
  expect(told(cutStatus, takenStatus)).toEqual(["fw-2 took 192.168.1.100 and 192.168.0.100", "! fw-2 missed messages of the replication: conntrackd counts 3 more lost", "all 10 flows move again"]);
});

test("the way back: what was healed, who is up, who gave up what", () => {
  expect(told(takenStatus, wellStatus)).toEqual(["healed: power-cut of fw-1", "fw-1 is up", "fw-2 gave 192.168.1.100 and 192.168.0.100 up"]);
});

test("a firewall that answers no more is told once", () => {
  const silent: LabStatus = { ...wellStatus, machines: wellStatus.machines.map((machine) => (machine.name === "fw-2" ? { ...machine, firewall: null } : machine)) };
  expect([told(wellStatus, silent), told(silent, silent)]).toEqual([["! fw-2 does not answer"], []]);
});
