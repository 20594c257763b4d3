import { expect, test } from "vitest";
import { recorded } from "./recorded.ts";
import { parseUnreadDatagrams } from "./unreadDatagrams.ts";

const told = recorded("udp-counters");

test("a machine that got to all that came", () => {
  expect(parseUnreadDatagrams(told)).toBe(0);
});

test("what was dropped over IPv4 and over IPv6 is counted together", () => {
  const dropped = told.replace(/^Udp: 0 0 0 0 0/mu, "Udp: 70 0 12 70 12").replace(/^(Udp6RcvbufErrors\s+)0/mu, "$13");
  expect(parseUnreadDatagrams(dropped)).toBe(15);
});

test("a kernel without IPv6 tells of IPv4 alone", () => {
  expect(parseUnreadDatagrams(told.replace(/^\w*6\w+\t.*\n/gmu, ""))).toBe(0);
});

test("an answer without the counter is an error", () => {
  expect(() => parseUnreadDatagrams("")).toThrow(/RcvbufErrors/u);
  expect(() => parseUnreadDatagrams(told.replace(" RcvbufErrors", " Other"))).toThrow(/RcvbufErrors/u);
});
