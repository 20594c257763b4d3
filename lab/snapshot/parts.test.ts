import { expect, test } from "vitest";
import { snapshotKey } from "./parts.ts";
import { partsWith } from "./snapshot.rig.ts";

test("the key is 16 hexadecimal characters, in whatever order the parts are given", () => {
  const parts = partsWith();
  const { image, ...others } = parts;
  expect(snapshotKey(parts)).toMatch(/^[0-9a-f]{16}$/u);
  expect(snapshotKey({ ...others, image })).toBe(snapshotKey(parts));
});

test("the key of a cache that is kept stays the same", () => {
  expect(snapshotKey(partsWith())).toBe("9358b315b58424a8");
});

test("with any other value it is another snapshot", () => {
  const parts = partsWith();
  const keys = Object.keys(parts).map((name) => snapshotKey(partsWith({ [name]: "other" })));
  expect(new Set([snapshotKey(parts), ...keys]).size).toBe(9);
});

test("values do not run into each other, and do not change places", () => {
  const key = snapshotKey(partsWith({ image: "ab", qemu: "c" }));
  expect(snapshotKey(partsWith({ image: "a", qemu: "bc" }))).not.toBe(key);
  expect(snapshotKey(partsWith({ image: "c", qemu: "ab" }))).not.toBe(key);
});

test("a part that is not known has no key", () => {
  expect(() => snapshotKey(partsWith({ qemu: "" }))).toThrow(/qemu/u);
});
