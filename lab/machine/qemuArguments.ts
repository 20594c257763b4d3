import { managementNic, nicOf, tapName, type MachineSpec } from "../topology/topology.ts";
import { doubledCommas, graphicsArguments, type GraphicalConsole } from "./graphicalConsole.ts";

export type Accelerator = "kvm" | "tcg";

/** Files that a machine boots from: kernel and initramfs for QEMU's direct boot, root file system as the first drive. */
export interface BootFiles {
  readonly kernel: string;
  readonly initrd: string;
  readonly root: string;
}

export const qemuProgram = "qemu-system-x86_64";

/**
 * Kernel parameters of every guest. What they switch off would only cost an emulated machine time: mitigations guard against other
 * tenants, security modules and audit have no policy here, zeroed pages have no secrets to keep, no unit needs its memory accounted, and a program at another
 * address each time is translated anew each time: QEMU before 8.0 knows translated code by its virtual address (a look at a firewall takes 0.8 s instead of 2.9).
 * A panic ends QEMU (`-no-reboot`), so that it is seen.
 */
const kernelParameters = [
  "console=ttyS0",
  "quiet",
  "loglevel=4",
  "net.ifnames=0",
  "mitigations=off",
  "lsm=yama",
  "audit=0",
  "init_on_alloc=0",
  "cgroup_disable=memory",
  "norandmaps",
  "panic=-1",
];

/**
 * All that the emulator knows, without the features that guard the kernel's memory or widen its address space: each access would pay for them.
 */
const emulatedProcessor = "max,-la57,-smap,-smep,-umip,-pku";

/**
 * q35 with direct kernel boot and no option ROMs; nothing but what the guests use. Not microvm: several of them on few cores hang in timer
 * calibration under TCG. `tb-size` bounds the translated code that an emulated machine may keep, in MiB: it is host memory.
 */
function board(
  accelerator: Accelerator,
  memoryMiB: number,
  boot: Pick<BootFiles, "kernel" | "initrd">,
  parameters: readonly string[],
  { memory, graphics }: { readonly memory?: MemoryFile; readonly graphics?: GraphicalConsole | undefined } = {},
): string[] {
  return [
    ...["-machine", `q35,graphics=${graphics === undefined ? "off" : "on"},vmport=off${memory === undefined ? "" : ",memory-backend=memory"}`],
    ...(memory === undefined ? [] : ["-object", memoryBackend(memory, memoryMiB)]),
    ...["-accel", accelerator === "kvm" ? "kvm" : "tcg,tb-size=128"],
    ...["-cpu", accelerator === "kvm" ? "host" : emulatedProcessor],
    ...["-smp", "1", "-m", `${memoryMiB}M`],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-kernel", boot.kernel, "-initrd", boot.initrd, "-append", [...kernelParameters, ...parameters].join(" ")],
  ];
}

/** Private writes leave the file as it is: any number of machines may be restored from it, one after the other or side by side. */
function memoryBackend({ path, writes }: MemoryFile, memoryMiB: number): string {
  return `memory-backend-file,id=memory,size=${memoryMiB}M,mem-path=${doubledCommas(path)},share=${writes === "kept" ? "on" : "off"}`;
}

/** Arguments of a machine that has nothing but kernel and initramfs: it says that its first process runs, and switches itself off. */
export function bareKernelArguments(accelerator: Accelerator, boot: Pick<BootFiles, "kernel" | "initrd">): string[] {
  return [...board(accelerator, 256, boot, ["fwlab.boot=bare"]), "-serial", "stdio"];
}

/**
 * For a trunk: a card with a filter of VLANs has forgotten what the guest let through when it is restored from a migration, and drops every tagged frame. Seen
 * with QEMU 7.2: its virtio_net_set_features clears the table, and runs after the table was loaded.
 */
const vlanOptions = ",ctrl_vlan=off";

/** The file that is a machine's memory: what the machine writes is kept in it, or is private to its QEMU. */
export interface MemoryFile {
  readonly path: string;
  readonly writes: "kept" | "private";
}

export interface MachineArguments {
  readonly spec: MachineSpec;
  readonly accelerator: Accelerator;
  readonly boot: BootFiles;
  /** Tar archive of the machine's own files, handed over as a raw read-only drive. */
  readonly machineFiles: string;
  /** File that takes the serial console's output. */
  readonly console: string;
  readonly memory: MemoryFile;
  /** None unless given. */
  readonly graphics?: GraphicalConsole;
}

/** What makes QEMU wait, paused, for the device state of a saved machine. */
export const incomingArguments: readonly string[] = ["-incoming", "defer"];

/**
 * QEMU's arguments for one machine: the same input gives the same arguments, and each device has its slot, so that a saved machine can be
 * restored. QMP is on QEMU's own stdin and stdout: no socket, no path, no race.
 */
export function qemuArguments({ spec, accelerator, boot, machineFiles, console, memory, graphics }: MachineArguments): string[] {
  const management = nicOf(spec, managementNic);
  const drive = (id: string, file: string, slot: number): string[] => [
    ...["-blockdev", `driver=raw,node-name=${id},read-only=on,file.driver=file,file.filename=${doubledCommas(file)}`],
    ...["-device", `virtio-blk-pci,drive=${id},addr=0x${slot.toString(16)}`],
  ];
  const nics = spec.nics.flatMap((nic, number) => [
    ...["-netdev", `tap,id=${nic.name},ifname=${tapName(spec, nic)},script=no,downscript=no`],
    ...["-device", `virtio-net-pci,id=nic-${nic.name},netdev=${nic.name},mac=${nic.mac},romfile=,addr=0x${(8 + number).toString(16)}${nic.vlan === undefined ? "" : vlanOptions}`],
  ]);
  return [
    ...["-name", spec.name],
    ...board(
      accelerator,
      spec.memoryMiB,
      boot,
      [`fwlab.role=${spec.role === "endpoint" ? "endpoint" : "firewall"}`, `fwlab.mgmt.mac=${management.mac}`, `fwlab.mgmt.address=${management.address}`],
      { memory, graphics },
    ),
    ...drive("root", boot.root, 4),
    ...drive("files", machineFiles, 5),
    ...nics,
    ...(graphics === undefined ? [] : graphicsArguments(graphics)),
    ...["-chardev", `file,id=console,path=${doubledCommas(console)}`, "-serial", "chardev:console"],
    ...["-chardev", "stdio,id=qmp,signal=off", "-mon", "chardev=qmp,mode=control"],
  ];
}
