import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { processesOf } from "../hand/standing.ts";
import { repository } from "../lifecycle/command.ts";

const networks = { inside: "10.20.0.", outside: "10.20.1.", sync: "10.20.2." } as const;

/** A topology of somebody else's: the pair's machines with his own networks. */
const topology = `import { mac, machinesOf, managementBridge, type MachineSpec, type PairTopology } from "fwlab";

const machine = machinesOf(0x0b);
const firewall = (name: string, number: number, own: number): MachineSpec =>
  machine(name, number, "firewall", [
    { name: "eth0", bridge: "br0", address: \`${networks.outside}\${own}/24\` },
    { name: "eth1", bridge: "br1", address: \`${networks.inside}\${own}/24\` },
    { name: "eth2", bridge: "br2", address: \`${networks.sync}\${own}/24\` },
  ]);

export const branchOffice: PairTopology = {
  name: "branch-office",
  bridges: ["br0", "br1", "br2", managementBridge],
  machines: [
    machine("client", 1, "endpoint", [{ name: "eth0", bridge: "br1", address: "${networks.inside}3/24" }]),
    firewall("fw-1", 2, 1),
    firewall("fw-2", 3, 2),
    machine("omarine", 4, "endpoint", [{ name: "eth0", bridge: "br0", address: "${networks.outside}3/24" }]),
  ],
  virtualAddresses: [
    { address: "${networks.outside}100", nic: "eth0", bridge: "br0", neighbour: "omarine" },
    { address: "${networks.inside}100", nic: "eth1", bridge: "br1", neighbour: "client" },
  ],
  client: "client",
  server: "omarine",
  active: "fw-1",
  backup: "fw-2",
  managementAddress: "10.99.0.254/24",
  managementMac: mac(0x0b, 0, 0xfe),
};
`;

/** A suite of his, over his config tree. */
const suite = `import { fileURLToPath } from "node:url";
import { failover, mixedFlows, powerCut } from "fwlab";
import { conducted } from "fwlab/suites";
import { describe, expect, test } from "vitest";
import { branchOffice } from "./branchOffice.ts";

describe("the branch office's firewall loses its power", () => {
  const run = conducted({
    config: fileURLToPath(new URL("tree", import.meta.url)),
    topology: branchOffice,
    fault: { id: "power-cut", target: "fw-1" },
    story: async (lab) => {
      await lab.ownedBy("fw-1");
      await lab.open(mixedFlows(8));
      await lab.replicatedTo("fw-2");
      await failover(lab, { from: "fw-1", to: "fw-2", strike: () => powerCut(lab.machine("fw-1")) });
    },
  });

  test("no flow is lost", () => {
    expect(run()).toPass("fault-bit", "flows-survive", "vips-moved", "state-on-survivor");
  });

  test("all of them were judged", () => {
    expect(run().run.flows).toHaveLength(8);
  });
});
`;

describe("fwlab as a package of another repository", () => {
  let folder: string;
  const environment = { INIT_CWD: undefined };
  const inFolder = (command: string, args: readonly string[], timeout: number) => execa(command, args, { cwd: folder, stdin: "ignore", reject: false, timeout, all: true, env: environment });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "fwlab-package-"));
    const packed = await execa("npm", ["pack", "--pack-destination", folder], { cwd: repository, stdin: "ignore", env: { npm_config_ignore_scripts: "false" } });
    const tarball = packed.stdout.trim().split("\n").at(-1) ?? "";
    await installed(folder, join(folder, tarball));
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "branch-office", private: true, type: "module" }));
    await writeFile(join(folder, "branchOffice.ts"), topology);
    await writeFile(join(folder, "failover.test.ts"), suite);
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: { strict: true, noEmit: true, target: "ES2022", lib: ["ES2023"], module: "NodeNext", moduleResolution: "NodeNext", allowImportingTsExtensions: true, skipLibCheck: true, types: ["node"] }, include: ["*.ts"] }));
    await writeTree(join(folder, "tree"));
  }, 400_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("its types are there: a mistake in a topology is found, and a right one passes", async () => {
    const right = await inFolder("npx", ["tsc"], 120_000);
    expect(right.exitCode, right.all).toBe(0);
    await writeFile(join(folder, "wrong.ts"), 'import type { PairTopology } from "fwlab";\nexport const backup: PairTopology["backup"] = 2;\n');
    const wrong = await inFolder("npx", ["tsc"], 120_000);
    expect(wrong.all).toMatch(/^wrong\.ts\(2,14\): error TS2322/mu);
    await rm(join(folder, "wrong.ts"));
  });

  test("its command tells itself, and its trees have the links that npm leaves out", async () => {
    const help = await inFolder("npx", ["fwlab", "graph", "sandwich"], 60_000);
    expect(help.exitCode, help.all).toBe(0);
    expect(await readdir(join(folder, "node_modules/fwlab/fixtures/omarine-snat/fw-1/etc/systemd/system/multi-user.target.wants"))).toContain("keepalived.service");
  });

  test("a suite of somebody's own, over a topology and a tree of his own, passes, and its bundle lies beside it", async () => {
    const run = await inFolder("npx", ["fwlab", "test", "failover.test.ts"], 500_000);
    expect(run.exitCode, run.all).toBe(0);
    expect(run.all).toMatch(/^2 passed, 0 failed$/mu);
    const [bundle] = (await readdir(join(folder, "runs"))).filter((name) => name !== "junit.xml");
    expect(JSON.parse(await readFile(join(folder, "runs", bundle ?? "", "run.json"), "utf8"))).toMatchObject({ topology: "branch-office", verdict: "pass" });
  }, 520_000);

  test("with --pause-on-failure the lab of a test that fails stays up, and says how to get in, until it is interrupted", async () => {
    await writeFile(join(folder, "failing.test.ts"), suite.replace("toHaveLength(8)", "toHaveLength(9)"));
    const run = execa("npx", ["fwlab", "test", "--pause-on-failure", "failing.test.ts"], { cwd: folder, stdin: "ignore", reject: false, timeout: 500_000, all: true, env: environment, detached: true });
    let said = "";
    for await (const chunk of run.all) {
      said += String(chunk);
      if (/paused: .*\n(?:.*\n)*.*# omarine/u.test(said)) break;
    }
    expect(said).toContain("paused: the lab of what failed is up until Ctrl-C");
    const bundle = /its bundle: (\S+)/u.exec(said)?.[1] ?? "";
    const machines = (await processesOf({ folder: join(folder, bundle) })).filter(({ commandLine }) => commandLine.startsWith("qemu"));
    expect(machines.length).toBeGreaterThanOrEqual(3);
    // Ctrl-C at a terminal is for all of the command's processes.
    process.kill(-(run.pid ?? Number.NaN), "SIGINT");
    expect((await run).exitCode).not.toBe(0);
    expect(await processesOf({ folder: join(folder, bundle) })).toEqual([]);
  }, 520_000);
});

/**
 * What npm would install, where no registry can be reached, as the suites' network has no way out: the package as it was packed, beside it what it depends on by its own word and nothing else, and what a repository
 * with suites has of its own.
 */
async function installed(folder: string, tarball: string): Promise<void> {
  const modules = join(folder, "node_modules");
  const own = join(modules, "fwlab");
  await mkdir(own, { recursive: true });
  await execa("tar", ["--extract", "--gzip", "--file", tarball, "--directory", own, "--strip-components=1"]);
  const { dependencies, bin } = JSON.parse(await readFile(join(own, "package.json"), "utf8")) as { dependencies: Record<string, string>; bin: Record<string, string> };
  for (const name of [...Object.keys(dependencies), "vitest", "typescript", "@types/node"]) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(repository, "node_modules", name), join(modules, name));
  }
  await mkdir(join(modules, ".bin"));
  await chmod(join(own, bin["fwlab"] ?? ""), 0o755);
  await symlink(join("..", "fwlab", bin["fwlab"] ?? ""), join(modules, ".bin", "fwlab"));
  await symlink(join("..", "typescript", "bin", "tsc"), join(modules, ".bin", "tsc"));
}

/** The reference tree with the networks of the branch office in the place of its own. */
async function writeTree(tree: string): Promise<void> {
  const reference = join(repository, "fixtures", "omarine-snat");
  await mkdir(tree);
  await cp(reference, tree, { recursive: true, verbatimSymlinks: true });
  for (const entry of await readdir(tree, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const text = await readFile(path, "utf8");
    const changed = text.replaceAll("192.168.0.", networks.inside).replaceAll("192.168.1.", networks.outside).replaceAll("192.168.2.", networks.sync);
    if (changed !== text) await writeFile(path, changed);
  }
}
