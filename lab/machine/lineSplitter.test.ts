import { expect, test } from "vitest";
import { LineSplitter } from "./lineSplitter.ts";

test("lines come whole, wherever the stream was cut, even within a character", () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const byte of Buffer.from("one\ntwö\n\nthr")) splitter.take(Uint8Array.of(byte));
  expect(lines).toEqual(["one", "twö", ""]);
  splitter.take(Buffer.from("ee\nfour\nfive"));
  expect(lines).toEqual(["one", "twö", "", "three", "four"]);
});
