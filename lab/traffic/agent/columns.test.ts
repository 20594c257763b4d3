import { expect, test } from "vitest";
import { float64sOf, uint32sOf } from "../packed.ts";
import { Columns } from "./columns.ts";

test("columns grow, and come out as they went in", () => {
  const columns = new Columns();
  for (let seq = 0; seq < 1_000; seq += 1) columns.push(seq, seq + 0.25);
  const { seq, atMs } = columns.encoded();
  expect([...uint32sOf(seq)]).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
  expect(float64sOf(atMs)[999]).toBe(999.25);
  expect(columns.lastAtMs).toBe(999.25);
});

test("the first record sent from a moment on", () => {
  const columns = new Columns();
  for (const seq of [0, 1, 2]) columns.push(seq, 100 * seq);
  expect([-1, 0, 0.5, 100, 199, 200, 201].map((atMs) => columns.firstSeqFrom(atMs))).toEqual([0, 0, 1, 1, 2, 2, -1]);
  expect(new Columns().firstSeqFrom(0)).toBe(-1);
});

test("the first record received that is numbered so or higher, though datagrams overtake each other", () => {
  const columns = new Columns();
  for (const [index, seq] of [0, 3, 1, 5].entries()) columns.push(seq, index * 10);
  expect([0, 1, 4, 6].map((seq) => columns.firstTimeOf(seq))).toEqual([0, 10, 30, -1]);
});
