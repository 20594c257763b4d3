import { expect, test } from "vitest";
import { snapshotLimitBytes } from "./limit.ts";

test.each([
  [undefined, 4 * 1024 ** 3],
  ["", 4 * 1024 ** 3],
  ["4G", 4 * 1024 ** 3],
  ["700M", 700 * 1024 ** 2],
  ["64K", 65_536],
  ["1T", 1024 ** 4],
  ["123456789", 123_456_789],
  ["0", 0],
])("FWLAB_SNAPSHOT_LIMIT=%s is %d bytes", (text, bytes) => {
  expect(snapshotLimitBytes({ FWLAB_SNAPSHOT_LIMIT: text })).toBe(bytes);
});

test.each(["much", "4g", "4GB", "4 G", " 4G", "4.5G", "-1", "+1", "1e9", "0x10", "G", "9999999T", "12345678901234567890"])("FWLAB_SNAPSHOT_LIMIT=%s is refused in one line", (text) => {
  expect(() => snapshotLimitBytes({ FWLAB_SNAPSHOT_LIMIT: text })).toThrow(
    expect.objectContaining({ name: "Failure", exit: 2, message: expect.stringMatching(/^read FWLAB_SNAPSHOT_LIMIT: "[^\n]*" is no size\. [^\n]*FWLAB_SNAPSHOT_LIMIT=4G\.$/u) as string }),
  );
});
