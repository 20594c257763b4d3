import { expect, test } from "vitest";
import { framesSent } from "./frameCounts.ts";

/** Lines of /proc/net/dev in a namespace with a pair that has carried flows, of Linux 6.18. */
const counts = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
   br0: 1710854   23553    0   10    0     0          0        59        0       0    0    0    0     0       0          0
  mgmt:  625676     775    0   20    0     0          0        22    60517     574    0    0    0     0       0          0
fw-1.eth0: 1091700   12839    0    0    0     0          0         0   948896   10714    0    0    0     0       0          0
fw-1.mgmt0:   23325     149    0    0    0     0          0         0    13414     139    0    0    0     0       0          0
fw-2.eth0:     780      15    0    0    0     0          0         0     3754      79    0    0    0     0       0          0
fw-2.mgmt0:   30165     169    0    0    0     0          0         0    14572     154    0    0    0     0       0          0
`;

const host = (name: string) => ({
  name,
  nics: [
    { name: "eth0", bridge: "br0", address: "192.168.1.1/24", mac: "52:54:00:f1:01:01" },
    { name: "mgmt0", bridge: "mgmt", address: "10.99.0.11/24", mac: "52:54:00:f1:01:02" },
  ],
});

test("what hosts sent to their bridges is what came in from their taps, the management's apart", () => {
  expect(framesSent([host("fw-1"), host("fw-2")], counts)).toBe(12839 + 15);
  expect(framesSent([], counts)).toBe(0);
});

test("a link that is not there is told with those that are", () => {
  expect(() => framesSent([host("fw-3")], counts)).toThrow(/fw-3\.eth0.*fw-1\.eth0/su);
});
