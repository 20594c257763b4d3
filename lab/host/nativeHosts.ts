import { readlink } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { tapName, type NativeHost, type NativeNic, type Topology } from "../topology/topology.ts";
import { labFolder } from "./labFolder.ts";
import { startVlanSwitch } from "./vlanSwitch.ts";

/** A native host that is up, until it is disposed of. */
export interface RunningNative extends AsyncDisposable {
  readonly host: NativeHost;
  /** Of the process that holds its network namespace. */
  readonly pid: number;
}

/** The end of a native host's link that its namespace gets, while it is still in the lab's. */
function innerEnd(host: NativeHost, nic: NativeNic): string {
  return `.${tapName(host, nic)}`.slice(0, 15);
}

/** The command line that runs another in a native host's network. */
export function insideNative({ pid }: Pick<RunningNative, "pid">, command: readonly [string, ...string[]]): readonly [string, ...string[]] {
  return ["nsenter", `--net=/proc/${pid}/ns/net`, "--", ...command];
}

/**
 * Makes a topology's native hosts and plugs them into its bridges, which are there. Where the kernel has no VLANs a switch in user space takes the tags away.
 * @throws Failure when the kernel refuses, or vde_switch is needed and missing; nothing is left then.
 */
export async function startNatives({ natives = [] }: Topology, signal?: AbortSignal): Promise<readonly RunningNative[]> {
  const running: RunningNative[] = [];
  try {
    for (const host of natives) running.push(await startNative(host, signal));
    return running;
  } catch (error) {
    await Promise.allSettled(running.map((native) => native[Symbol.asyncDispose]()));
    throw error;
  }
}

async function startNative(host: NativeHost, signal: AbortSignal | undefined): Promise<RunningNative> {
  const holder = execa("setpriv", ["--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"], { stdin: "ignore", reject: false, detached: true, cleanup: false });
  const switches: AsyncDisposable[] = [];
  const dispose = async (): Promise<void> => {
    await Promise.all(switches.map((each) => each[Symbol.asyncDispose]()));
    holder.kill("SIGKILL");
    await holder;
    await removePorts(host);
  };
  try {
    const { pid } = holder;
    if (pid === undefined) throw new Error((await holder).originalMessage);
    await untilApart(pid, signal);
    const inside = (batch: readonly string[]) => ipBatch(batch, signal, pid);
    await inside(["link set lo up"]);
    for (const nic of host.nics) {
      const [port, end] = [tapName(host, nic), innerEnd(host, nic)];
      const byKernel = nic.vlan === undefined || (await kernelHasVlans(pid, signal));
      if (byKernel) {
        await ipBatch([`link add name ${port} type veth peer name ${end}`], signal);
      } else {
        await ipBatch([`tuntap add dev ${port} mode tap`, `tuntap add dev ${end} mode tap`, `link set ${port} up`, `link set ${end} up`], signal);
        switches.push(await startVlanSwitch({ tagged: port, untagged: end, vlan: nic.vlan, folder: labFolder(), ...(signal && { signal }) }));
      }
      await ipBatch([`link set ${port} master ${nic.bridge}`, `link set ${port} up`, `link set ${end} netns ${pid}`], signal);
      const trunk = byKernel && nic.vlan !== undefined ? `${nic.name}t` : nic.name;
      await inside([
        `link set ${end} name ${trunk}`,
        `link set ${trunk} address ${nic.mac} up`,
        ...(trunk === nic.name ? [] : [`link add link ${trunk} name ${nic.name} type vlan id ${nic.vlan ?? 0}`, `link set ${nic.name} up`]),
        `addr add ${nic.address} dev ${nic.name}`,
      ]);
    }
    await inside([...host.networks.map((network) => `route add local ${network} dev lo`), ...host.routes.map(({ to, via }) => `route add ${to} via ${via}`)]);
    return { host, pid, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    signal?.throwIfAborted();
    if (error instanceof Failure) throw error;
    throw new Failure({
      tried: `make the native host ${host.name}`,
      seen: messageOf(error),
      remedy: "The host's kernel needs network namespaces, veth and tun",
      exit: exitCode.usage,
      cause: error,
    });
  }
}

/** Takes a native host's ends on the bridges away. One of a veth pair goes with the namespace of the other, which the kernel takes away in its own time: some are gone, or go meanwhile. @throws ExecaError with ip's complaint. */
async function removePorts(host: NativeHost): Promise<void> {
  for (const port of host.nics.map((nic) => tapName(host, nic))) {
    if (!(await isThere(port))) continue;
    const { failed, stderr } = await execa("ip", ["link", "del", port], { reject: false });
    if (failed && (await isThere(port))) throw new Error(`${port} cannot be taken away: ${stderr}`);
  }
}

async function isThere(link: string): Promise<boolean> {
  const { stdout } = await execa("ip", ["-json", "link", "show"]);
  return (JSON.parse(stdout) as { ifname: string }[]).some(({ ifname }) => ifname === link);
}

/** Waits until a process is in a network namespace of its own. @throws when that takes too long; the signal's reason. */
async function untilApart(pid: number, signal: AbortSignal | undefined): Promise<void> {
  const own = await readlink("/proc/self/ns/net");
  for (let tries = 0; tries < 500; tries += 1) {
    if ((await readlink(`/proc/${pid}/ns/net`)) !== own) return;
    await delay(10, undefined, signal ? { signal } : {});
  }
  throw new Error(`process ${pid} got no network of its own within 5 s`);
}

let vlans: boolean | undefined;

/** Whether the kernel makes VLAN interfaces, by trial, in another namespace than the lab's. */
async function kernelHasVlans(pid: number, signal: AbortSignal | undefined): Promise<boolean> {
  const tried = async (...args: string[]) => !(await execa("nsenter", [`--net=/proc/${pid}/ns/net`, "--", "ip", "link", ...args], { reject: false, ...(signal && { cancelSignal: signal }) })).failed;
  vlans ??= (await tried("add", "link", "lo", "name", "trial", "type", "vlan", "id", "1")) && (await tried("del", "trial"));
  return vlans;
}

/** ip(8)'s commands, in the namespace of a process or in this one's. @throws ExecaError with ip's complaint. */
async function ipBatch(commands: readonly string[], signal: AbortSignal | undefined, pid?: number): Promise<void> {
  const ip = ["ip", "-batch", "-"] as const;
  const [program, ...args] = pid === undefined ? ip : insideNative({ pid }, ip);
  await execa(program, args, { input: `${commands.join("\n")}\n`, ...(signal && { cancelSignal: signal }) });
}
