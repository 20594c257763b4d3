import { InvalidArgumentError } from "commander";
import { describe, expect, test } from "vitest";
import { parseSeed, parseSpread, parseTrialCount } from "./trialsOptions.ts";

describe.each([
  ["--n", parseTrialCount, 1, 1000, /is not a whole number of trials from 1 to 1000\.$/u],
  ["--spread", parseSpread, 0, 60_000, /is not a whole number of milliseconds from 0 to 60000\.$/u],
  ["--seed", parseSeed, 0, 4_294_967_295, /is not a whole number from 0 to 4294967295\.$/u],
])("%s", (_, parse, least, most, line) => {
  test("takes its least, its most and what lies between", () => {
    expect([least, 42, most].map((number) => parse(String(number)))).toEqual([least, 42, most]);
    expect(parse("007")).toBe(7);
  });

  test.each([String(most + 1), String(least - 1), "", " 5", "5 ", "1.5", "1e3", "0x10", "-1", "+1", "many", "NaN", "Infinity", "1_000", "٣", "99999999999999999999"])("%j is refused in one line", (text) => {
    expect(() => parse(text)).toThrow(InvalidArgumentError);
    expect(() => parse(text)).toThrow(line);
    expect(() => parse(text)).toThrow(`"${text}"`);
  });
});
