import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Failure } from "../failure/failure.ts";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { logicalLines, readBlocks, type Statement } from "./blocks.ts";
import { readConntrackd } from "./conntrackd.ts";
import { dutyOf, masterDownSeconds } from "./duty.ts";
import { globExpression } from "./glob.ts";
import { readKeepalived } from "./keepalived.ts";
import { readNetworks } from "./networks.ts";
import { fileAt, nodeFile, textAt, type NodeFiles } from "./nodeFiles.ts";
import { pairConfig, readPair } from "./pair.ts";
import { readSysctls, sysctl } from "./sysctls.ts";
import { isStarted, readUnits } from "./units.ts";

const file = (path: string, content: string | Buffer) => nodeFile(path, { file: `fw-1${path}`, tree: "tree", content });
const node = (files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>> = {}): NodeFiles => ({
  machine: "fw-1",
  files: Object.entries(files).map(([path, content]) => file(path, content)),
  links: Object.entries(links).map(([path, target]) => ({ path, target, file: `fw-1${path}`, tree: "tree" })),
});

const shape = (statements: readonly Statement[]): unknown[] => statements.map(({ words, line, block }) => [line, words.map(({ value }) => value).join(" "), ...(block === undefined ? [] : [shape(block)])]);

test("blocks: braces anywhere, comments, quotations, joined lines", () => {
  const text = 'a { b c } # d\ne\n{\n  f "g # h" ! i\n  j \\\n  k\n}\nl \\# m\n';
  const { statements, faults } = readBlocks(logicalLines(file("/x", text), true), { comments: "!#" });
  expect(shape(statements)).toEqual([
    [1, "a", [[1, "b c"]]],
    [2, "e", [[4, "f g # h"], [5, "j k"]]],
    [8, "l # m"],
  ]);
  expect(faults).toEqual([]);
});

test("blocks: what has no partner is told, with its line", () => {
  const faults = (text: string) => readBlocks(logicalLines(file("/x", text), false), { comments: "#" }).faults.map(({ line }) => line);
  expect(faults("a {\n b {\n }\n")).toEqual([1]);
  expect(faults("a {\n}\n}\n")).toEqual([3]);
  expect(faults('a "b\n')).toEqual([1]);
});

test("keepalived.conf: includes, definitions and lines for one node alone", () => {
  const files = node({
    "/etc/keepalived/keepalived.conf": "$VRID=7\ninclude parts/*.conf\ninclude missing.conf\n",
    "/etc/keepalived/parts/a.conf": 'vrrp_instance a {\n interface eth0\n virtual_router_id ${VRID}\n @fw-1 priority 9\n @fw-2 priority 8\n notify_master "/etc/x primary" root\n virtual_ipaddress {\n 10.0.0.1/24 dev eth1 label eth1:0\n }\n track_interface {\n eth1 weight 5\n }\n}\n',
  });
  const [conf] = files.files;
  if (conf === undefined) throw new Error("no file");
  const { instances, missingIncludes } = readKeepalived(files, conf);
  expect(missingIncludes.map(({ value, line }) => [value, line])).toEqual([["missing.conf", 3]]);
  expect(instances).toHaveLength(1);
  expect(instances[0]).toMatchObject({
    priority: { value: 9, file: "fw-1/etc/keepalived/parts/a.conf", line: 4 },
    virtualRouterId: { value: 7, line: 3 },
    notifies: [{ kind: "notify_master", command: ["/etc/x", "primary"], line: 6 }],
    virtualIps: [{ address: "10.0.0.1", prefix: 24, interface: "eth1", line: 8 }],
    weightedInterfaces: [{ value: "eth1" }],
  });
});

test("conntrackd.conf: several settings on a line, two links, all filters", () => {
  const text = `Sync {
  Mode FTFW { DisableExternalCache On PurgeTimeout 15 }
  UDP Default { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 3780 Interface eth2 Checksum on }
  UDP {
    IPv4_address 10.0.1.1
    Port 3781
  }
}
General {
  LockFile /run/a.lock
  UNIX { Path /run/a.ctl Backlog 20 }
  Filter From Kernelspace {
    Protocol Accept { tcp }
    Address Ignore { IPv4_address 127.0.0.1 IPv4_address 10.0.0.0/8 }
    State Accept { ESTABLISHED CLOSED for TCP }
  }
}
`;
  expect(readConntrackd(file("/c", text))).toMatchObject({
    mode: { value: "FTFW", line: 2 },
    disableExternalCache: { value: true, line: 2 },
    purgeTimeout: { value: 15 },
    transports: [
      { kind: "UDP", isDefault: true, line: 3, port: { value: 3780 }, destination: { value: "10.0.0.2" }, interface: { value: "eth2" } },
      { isDefault: false, line: 4, port: { value: 3781, line: 6 } },
    ],
    lockFile: { value: "/run/a.lock", line: 10 },
    unixPath: { value: "/run/a.ctl" },
    protocols: [{ accept: true, values: [{ value: "TCP" }] }],
    addresses: [{ accept: false, values: [{ value: "127.0.0.1" }, { value: "10.0.0.0/8" }] }],
    states: [{ accept: true, values: [{ value: "ESTABLISHED" }, { value: "CLOSED" }] }],
  });
});

test("units: enabled by a link or by another's wish, masked by a link to /dev/null; an empty value takes back", () => {
  const systemd = "/etc/systemd/system";
  const units = readUnits(
    node(
      { [`${systemd}/a.service`]: "[Unit]\nWants=b.service\n[Service]\nExecStart=/bin/a\n", [`${systemd}/a.service.d/9.conf`]: "[Unit]\nWants=\nWants=c.service \\\n  d.service\n" },
      { [`${systemd}/multi-user.target.wants/a.service`]: "../a.service", [`${systemd}/d.service`]: "/dev/null" },
    ),
  );
  expect(["a", "b", "c", "d"].map((name) => isStarted(units, `${name}.service`))).toEqual([true, false, true, false]);
});

test("sysctl.d: the last file by name wins, /etc's hides its namesakes, a wildcard counts where no name does", () => {
  const sysctls = readSysctls(
    node({
      "/usr/lib/sysctl.d/50-a.conf": "x.a = lost\n",
      "/etc/sysctl.d/50-a.conf": "net/ipv4/conf/eth0.1/rp_filter = 2\nnet.ipv4.conf.*.rp_filter = 0\nx.b = 1\n# x.c = 1\n",
      "/etc/sysctl.d/90-z.conf": "-x.b = 2\n",
    }),
  );
  expect(sysctl(sysctls, "x.a")).toBeUndefined();
  expect(sysctl(sysctls, "x.b")).toEqual({ value: "2", file: "fw-1/etc/sysctl.d/90-z.conf", line: 1 });
  expect(sysctl(sysctls, "x.c")).toBeUndefined();
  expect(sysctl(sysctls, "net.ipv4.conf.eth0/1.rp_filter")?.value).toBe("2");
  expect(sysctl(sysctls, "net.ipv4.conf.eth1.rp_filter")?.value).toBe("0");
});

test("networkd: sections that repeat stay apart, drop-ins are read", () => {
  const [network] = readNetworks(
    node({
      "/etc/systemd/network/10-a.network": "[Match]\nName=eth*\n[Route]\nGateway=10.0.0.1\n[Route]\nDestination=10.1.0.0/16\nGateway=10.0.0.2\nTable=7\n",
      "/etc/systemd/network/10-a.network.d/x.conf": "[Network]\nAddress=10.0.0.9/24\n",
    }),
  );
  expect(network).toMatchObject({ addresses: [{ value: "10.0.0.9/24" }], routes: [{ gateway: { value: "10.0.0.1", line: 4 }, destination: undefined }, { gateway: { value: "10.0.0.2" }, destination: { value: "10.1.0.0/16" }, table: { value: "7" } }] });
});

test("paths of a guest lead where its links lead; loops end", () => {
  const files = node({ "/etc/real/a": "a" }, { "/etc/link": "real", "/etc/b": "link/a", "/etc/loop": "loop" });
  expect(fileAt(files, "/etc/b")?.file).toBe("fw-1/etc/real/a");
  expect(fileAt(files, "/etc/loop")).toBeUndefined();
  expect(globExpression("/a[x-z]/*.[z-a]").test("/ay/b.[z-a]")).toBe(true);
});

test("bytes where text is due are refused, by the name that their author knows", () => {
  const files = { ...node({}), files: [file("/etc/keepalived/keepalived.conf", Buffer.from([1, 0, 2]))] };
  expect(() => textAt(files, "/etc/keepalived/keepalived.conf")).toThrow(Failure);
  expect(() => textAt(files, "/etc/keepalived/keepalived.conf")).toThrow(/fw-1\/etc\/keepalived\/keepalived\.conf/u);
});

test("Master_Down: RFC 5798, 6.1, and RFC 3768, 6.1", () => {
  expect(masterDownSeconds(3, 100, 9, 1)).toBeCloseTo(3 + 156 / 256);
  expect(masterDownSeconds(3, 100, 9, 2)).toBeCloseTo(6 + (156 / 256) * 2);
  expect(masterDownSeconds(2, 100, 2, 9)).toBeCloseTo(6 + 156 / 256);
});

test("a pair's files know their trees and who is to be active; the highest tree's promises hold", async () => {
  const reference = fileURLToPath(new URL("../../fixtures/omarine-snat", import.meta.url));
  const above = await mkdtemp(join(tmpdir(), "fwlab-pair-"));
  try {
    const path = join(above, "fw-2/etc/keepalived/keepalived.conf");
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "vrrp_instance outside {\n interface eth0\n virtual_router_id 10\n priority 200\n nopreempt\n}\n");
    await symlink("/dev/null", join(above, "fw-2/etc/x"));
    await writeFile(join(above, "fwlab.json"), '{ "flows": ["tcp"] }');
    const files = await readPair(primaryBackup, [reference, above]);
    const pair = pairConfig(files);
    expect(pair.promises.flows).toEqual(["tcp"]);
    expect(pair.nodes.map(({ keepalived }) => keepalived?.file)).toEqual(["fw-1/etc/keepalived/keepalived.conf", "fw-2/etc/keepalived/keepalived.conf"]);
    const trees = (name: string) => [...new Set(files.nodes.find(({ machine }) => machine === name)?.files.map(({ tree }) => tree))];
    expect(trees("fw-1")).toEqual([reference]);
    expect(trees("fw-2")).toEqual([reference, above]);
    expect(pair.endpoints.map(({ machine }) => machine)).toEqual(["client", "omarine"]);
    expect(dutyOf(pair)).toMatchObject({ preferred: "fw-2", preempts: false });
    expect(dutyOf(pairConfig(await readPair(primaryBackup, [reference])))).toMatchObject({ preferred: "fw-1", preempts: true, nodes: [{ preemptDelaySeconds: 10 }, { startupDelaySeconds: 8, masterDownSeconds: 3 + 156 / 256 }] });
  } finally {
    await rm(above, { recursive: true });
  }
});
