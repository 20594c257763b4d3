import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { absent } from "../image/manifest.ts";
import { messageOf } from "../failure/failure.ts";
import { partOf, type HostPart } from "./part.ts";

/** What the kernel's settings say about namespaces of ordinary users, where it has them. Source: user_namespaces(7), Debian's and Ubuntu's kernels. */
export interface NamespaceSettings {
  /** Ubuntu: 1 lets programs make user namespaces only if AppArmor has a profile for them. */
  readonly apparmorRestricts?: string;
  /** Debian's older kernels: 0 lets nobody but root make them. */
  readonly unprivilegedClone?: string;
  /** How many there may be. */
  readonly maximum?: string;
}

const settingFiles = {
  apparmorRestricts: "kernel/apparmor_restrict_unprivileged_userns",
  unprivilegedClone: "kernel/unprivileged_userns_clone",
  maximum: "user/max_user_namespaces",
} as const;

/** What is made in the trial's namespaces, by its name, with the command that makes it. */
const trials = {
  bridge: "ip link add name trial0 type bridge",
  tap: "ip tuntap add dev trial1 mode tap",
  veth: "ip link add name trial2 type veth peer name trial3",
  vlan: "ip link add link lo name trial4 type vlan id 1",
  tmpfs: "mount -t tmpfs fwlab /mnt",
} as const;
type Trial = keyof typeof trials;

/** What became of the trial: each thing that was made, or what was said instead; or nothing, as there were no namespaces. */
export type NamespaceTrial = { readonly made: Readonly<Record<Trial, string | undefined>> } | { readonly refused: string };

/** Makes namespaces as a lab does, and in them what labs are made of; they are gone afterwards. Nothing of the host's own is changed. */
export async function tryNamespaces(signal?: AbortSignal): Promise<NamespaceTrial> {
  const asRoot = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  const script = Object.entries(trials).map(([name, command]) => `if said=$(${command} 2>&1); then echo "${name}"; else echo "${name} $said" | tr '\\n' ' '; echo; fi`);
  const { failed, stdout, stderr, originalMessage } = await execa("unshare", [...asRoot, "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script.join("\n")], {
    reject: false,
    stdin: "ignore",
    env: { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
    ...(signal && { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  return failed ? { refused: messageOf(stderr === "" ? originalMessage : stderr) } : { made: parseTrial(stdout) };
}

/** The trial's words: a name alone for what was made, with what was said otherwise. A thing that is not told was not made. */
export function parseTrial(stdout: string): Readonly<Record<Trial, string | undefined>> {
  const said = new Map(stdout.split("\n").map((line) => [line.split(" ", 1)[0] ?? "", line.slice(line.indexOf(" ") + 1).trim()] as const));
  const of = (name: Trial): string | undefined => {
    const words = said.get(name);
    return words === undefined ? "not tried" : words === name ? undefined : words;
  };
  return { bridge: of("bridge"), tap: of("tap"), veth: of("veth"), vlan: of("vlan"), tmpfs: of("tmpfs") };
}

/** Reads the settings that this kernel has. */
export async function namespaceSettings(): Promise<NamespaceSettings> {
  const read = async (file: string) => (await readFile(`/proc/sys/${file}`, "utf8").catch(absent))?.trim();
  const [apparmorRestricts, unprivilegedClone, maximum] = await Promise.all([read(settingFiles.apparmorRestricts), read(settingFiles.unprivilegedClone), read(settingFiles.maximum)]);
  return { ...(apparmorRestricts !== undefined && { apparmorRestricts }), ...(unprivilegedClone !== undefined && { unprivilegedClone }), ...(maximum !== undefined && { maximum }) };
}

/** Judges the trial: namespaces, what labs are made of, and VLANs by the kernel. */
export function namespaceParts(trial: NamespaceTrial, settings: NamespaceSettings, isRoot: boolean): HostPart[] {
  const namespaces = (found: Pick<HostPart, "state" | "seen" | "mend">) => partOf("namespaces", "no lab runs: all of it lives in namespaces of its own", found);
  const whose = isRoot ? "root's" : "an ordinary user's, in a user namespace";
  if ("refused" in trial) return [namespaces({ state: "missing", seen: `refused: ${trial.refused}`, mend: isRoot ? "unshare --net --mount --pid true  # tells what holds root back: in a container it needs CAP_SYS_ADMIN" : mendOf(settings) })];
  const { vlan, ...needed } = trial.made;
  const lacking = Object.entries(needed).filter(([, said]) => said !== undefined);
  return [
    namespaces({ state: "works", seen: `${whose}: network, mount, PID, IPC and UTS` }),
    partOf("bridges and taps", "no lab runs: its machines are plugged into them", {
      state: lacking.length === 0 ? "works" : "missing",
      seen: lacking.length === 0 ? "bridge, tap, veth and tmpfs can be made in a lab's namespaces" : lacking.map(([name, said]) => `${name}: ${said ?? ""}`).join("; "),
      mend: trial.made.tap === undefined ? "sudo modprobe -a bridge veth" : mendOfTun(trial.made.tap),
    }),
    partOf("VLANs by the kernel", "the sandwich's native hosts reach their VLAN by vde_switch, in user space: slower under load", {
      state: vlan === undefined ? "works" : "slower",
      seen: vlan === undefined ? "a VLAN interface can be made" : `no VLAN interface: ${vlan}`,
      mend: "sudo modprobe 8021q",
    }),
  ];
}

/** What opens /dev/net/tun, by what was said when it did not. */
export function mendOfTun(said: string): string {
  return /permission denied|EACCES|not permitted/iu.test(said) ? "sudo chmod 0666 /dev/net/tun  # udev's own mode for it: what it makes stays in its user's namespaces" : "sudo modprobe tun  # in a container: --device /dev/net/tun";
}

/** What lets an ordinary user make namespaces, by the setting that forbids it. */
function mendOf({ apparmorRestricts, unprivilegedClone, maximum }: NamespaceSettings): string {
  if (unprivilegedClone === "0") return "sudo sysctl kernel.unprivileged_userns_clone=1";
  if (maximum === "0") return "sudo sysctl user.max_user_namespaces=15000";
  if (apparmorRestricts === "1") return "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0";
  return "sudo npm start  # no setting of the kernel's forbids them; a container's seccomp profile may, and root needs none";
}
