/**
 * A lab of one machine, for sideBySide.test.ts: `TOKEN OWN OTHER`. It writes its token into its guest, gives it 10.99.0.OWN and
 * 192.168.0.OWN besides its own addresses, and says so; at each line on standard input it looks, and says what it sees, in one line of JSON.
 */
import { mkdtemp } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { labFolder, prepareNamespaces } from "../../lab/host/labFolder.ts";
import { enterNamespaces, isFirstInside } from "../../lab/host/namespaces.ts";
import { followOuterProcess } from "../../lab/host/outerProcess.ts";
import { controlPort } from "../../lab/machine/machineFiles.ts";
import type { MachineShell } from "../../lab/machine/shell.ts";
import { silentProgress } from "../../lab/progress/progress.ts";
import { Lab } from "../../lab/run/lab.ts";
import { fixturesFolder, prepare } from "../../lab/run/prepare.ts";
import { primaryBackup } from "../../lab/topology/primaryBackup.ts";
import { hostPart } from "../../lab/topology/topology.ts";

/** What one lab sees. Each question whose answer must be no has a twin whose answer must be yes. */
export interface Sight {
  readonly token: string;
  /** From the guest: the lab's own host, and the machine that only the other lab has. */
  readonly hostAnswers: boolean;
  readonly otherAnswers: boolean;
  /** From the host's side of the lab: whether anybody answers at the address that only this lab has, or only the other. */
  readonly ownAddressAnswers: boolean;
  readonly otherAddressAnswers: boolean;
  /** ARP on br1: whether anybody else has the client's address, or anybody the address that only the other lab has. */
  readonly ownAddressIsTaken: boolean;
  readonly otherIsNeighbour: boolean;
}

const [token = "", own = "", other = ""] = process.argv.slice(2);

if (isFirstInside()) {
  await inner();
  // Standard input stays open, and would keep this process alive.
  process.exit();
} else {
  process.exitCode = await enterNamespaces({ command: process.execPath, args: ["--import", "tsx", fileURLToPath(import.meta.url), token, own, other] });
}

async function inner(): Promise<void> {
  const interruption = new AbortController();
  followOuterProcess({ onStop: (name) => interruption.abort(new Error(name)), onGone: () => process.exit() });
  const { signal } = interruption;
  await prepareNamespaces(signal);
  const topology = { ...primaryBackup, machines: primaryBackup.machines.filter(({ name }) => name === primaryBackup.client) };
  const { image, keys, choice } = await prepare({ topology, accelerator: "auto", progress: silentProgress, signal });
  await using lab = await Lab.start({
    topology,
    trees: [join(fixturesFolder, "omarine-snat")],
    boot: image,
    keys,
    accelerator: choice.accelerator,
    folder: labFolder(),
    consoles: await mkdtemp(join(labFolder(), "consoles-")),
    extraFiles: () => [],
    progress: silentProgress,
    signal,
  });
  const { shell } = lab.machine(topology.client);
  await shell.must(`ip addr add 10.99.0.${own}/24 dev mgmt0 && ip addr add 192.168.0.${own}/24 dev eth0`);
  await shell.must("cat >/run/token", { input: token });
  console.log(JSON.stringify({ ready: token }));
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "end") break;
    console.log(JSON.stringify(await look(shell)));
  }
}

async function look(shell: MachineShell): Promise<Sight> {
  const succeeds = async (command: string) => (await shell.run(command)).exitCode === 0;
  return {
    token: await shell.must("cat /run/token"),
    hostAnswers: await succeeds(`ping -c 2 -W 2 ${hostPart(primaryBackup.managementAddress)}`),
    otherAnswers: await succeeds(`ping -c 2 -W 2 10.99.0.${other}`),
    ownAddressAnswers: await answers(`10.99.0.${own}`),
    otherAddressAnswers: await answers(`10.99.0.${other}`),
    ownAddressIsTaken: !(await succeeds("arping -D -q -c 2 -I eth0 192.168.0.3")),
    otherIsNeighbour: await succeeds(`arping -q -c 2 -w 3 -I eth0 192.168.0.${other}`),
  };
}

/** Whether anybody is at an address: a refused connection is an answer, too. What is silent for five seconds counts as nobody. */
function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port: controlPort, timeout: 5_000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", () => end(true));
    socket.on("error", (error) => end("code" in error && error.code === "ECONNREFUSED"));
    socket.on("timeout", () => end(false));
  });
}
