import { expect, test } from "vitest";
import { addressBytes, addressWithPort, canonicalAddress } from "./address.ts";

test.each([
  ["2001:0db8:0168:0000:0000:0000:0000:0003", "2001:db8:168::3"],
  ["2001:DB8:168:1:0:0:0:100", "2001:db8:168:1::100"],
  ["2001:db8:168:0::3", "2001:db8:168::3"],
  ["fe80:0:0:0:0:0:0:1", "fe80::1"],
  ["::", "::"],
  ["192.168.0.3", "192.168.0.3"],
  ["omarine", "omarine"],
])("%s is written %s", (address, canonical) => {
  expect(canonicalAddress(address)).toBe(canonical);
});

test.each([
  ["192.168.0.3", "c0a80003"],
  ["2001:db8:168:1::100", "20010db8016800010000000000000100"],
  ["2001:db8:168::3", "20010db8016800000000000000000003"],
  ["::1", "00000000000000000000000000000001"],
  ["fe80::", "fe800000000000000000000000000000"],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
])("the bytes of %s", (address, bytes) => {
  expect(addressBytes(address).toString("hex")).toBe(bytes);
});

test.each(["omarine", "192.168.0", "fe80::1%eth0", "1::2::3"])("%s has no bytes", (address) => {
  expect(() => addressBytes(address)).toThrow(RangeError);
});

test("a port is written behind either kind", () => {
  expect([addressWithPort("192.168.1.3", 7), addressWithPort("2001:db8::3", 7)]).toEqual(["192.168.1.3:7", "[2001:db8::3]:7"]);
});
