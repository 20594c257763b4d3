import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { parseTroubledUnits, troubledUnits } from "./units.ts";

const recorded = await readFile(new URL("recorded/units.txt", import.meta.url), "utf8");
const entries = z.array(z.record(z.string(), z.string())).parse(JSON.parse(recorded));
const withUnit = (unit: string, active: string, sub: string): string => JSON.stringify(entries.map((entry) => (entry["unit"] === unit ? { ...entry, active, sub } : entry)));

test("a firewall that is up has no unit in trouble, masked and waiting ones included", () => {
  expect(entries.some(({ load }) => load === "masked")).toBe(true);
  expect(parseTroubledUnits(recorded)).toEqual([]);
});

test.each([
  ["failed", "failed", "failed"],
  ["activating", "start", "activating (start)"],
  ["activating", "auto-restart", "activating (auto-restart)"],
])("a unit that is %s, %s", (active, sub, state) => {
  expect(parseTroubledUnits(withUnit("keepalived.service", active, sub))).toEqual([{ unit: "keepalived.service", state }]);
});

test("a unit that is reloaded, ends, or is the lab's own is in no trouble", () => {
  expect(parseTroubledUnits(withUnit("keepalived.service", "reloading", "reload"))).toEqual([]);
  expect(parseTroubledUnits(withUnit("keepalived.service", "deactivating", "stop"))).toEqual([]);
  expect(parseTroubledUnits(withUnit("fwlab-ready.service", "activating", "start"))).toEqual([]);
});

test("another form is refused", () => {
  expect(() => parseTroubledUnits("UNIT LOAD ACTIVE SUB")).toThrow(/systemctl/u);
});

test("each unit in trouble is told with the last lines of its journal, and the raw answers are kept", async () => {
  const kept: string[] = [];
  const asked: string[] = [];
  const shell = {
    name: "fw-2",
    address: "10.99.0.13",
    run: () => Promise.reject(new Error("not asked")),
    must: (command: string) => {
      asked.push(command);
      return Promise.resolve(command.startsWith("systemctl") ? withUnit("keepalived.service", "failed", "failed") : "starting\nno such interface eth7\n");
    },
  };
  const units = await troubledUnits(shell, (name) => Promise.resolve(void kept.push(name)));
  expect(units).toEqual([{ machine: "fw-2", unit: "keepalived.service", state: "failed", journal: ["starting", "no such interface eth7"] }]);
  expect(asked.at(-1)).toContain("--unit='keepalived.service'");
  expect(kept).toEqual(["units.json", "keepalived.service.txt"]);
});
