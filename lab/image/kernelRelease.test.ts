import { expect, test } from "vitest";
import { kernelRelease } from "./kernelRelease.ts";

/** A boot header as Debian's 6.1.0-40-cloud-amd64 has it: magic at 0x202, version at 0x200 + the number at 0x20e. */
function bzImage(version: string): Buffer {
  const bytes = Buffer.alloc(0x4000);
  bytes.write("HdrS", 0x202, "latin1");
  bytes.writeUInt16LE(0x3640, 0x20e);
  bytes.write(`${version}\0`, 0x3840, "latin1");
  return bytes;
}

test("the release is the first word of the version", () => {
  const version = "6.1.0-40-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian 6.1.153-1 (2025-09-20)";
  expect(kernelRelease(bzImage(version))).toBe("6.1.0-40-cloud-amd64");
});

test("what is no kernel is refused", () => {
  expect(() => kernelRelease(Buffer.alloc(0x4000))).toThrow(/HdrS/u);
  expect(() => kernelRelease(Buffer.alloc(10))).toThrow(RangeError);
  expect(() => kernelRelease(bzImage(""))).toThrow(/no kernel version at 0x3840/u);
});
