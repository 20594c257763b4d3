import { readFile, statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { partOf, type HostPart } from "./part.ts";

/** What a host has, in bytes and counts. */
export interface Resources {
  readonly cores: number;
  readonly memoryBytes: number;
  readonly availableBytes: number;
  readonly cacheFolder: string;
  readonly freeDiskBytes: number;
  /** How much of the disk snapshots may take. */
  readonly snapshotLimitBytes: number;
  /** Of them and of images, what is there already. */
  readonly cachedBytes: number;
  readonly clockSource: string;
  readonly clockSources: readonly string[];
}

const gigabyte = 1e9;
/** Four machines of 256 MiB, QEMU's own, the image in the page cache, and the runner. */
const leastMemory = 3 * gigabyte;
const comfortableMemory = 2.2 * gigabyte;
/** What building an image takes while it lasts, and what it leaves. */
const leastDisk = 2 * gigabyte;
/** Clocks that are read without leaving the processor or by a page of the hypervisor's. Source: the kernel's drivers/clocksource, arch/x86/kernel/{tsc,kvmclock}.c. */
const quickClocks = ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter", "xen"];

const clockFolder = "/sys/devices/system/clocksource/clocksource0";

/** Looks at what the host has. */
export async function readResources(cacheFolder: string, snapshotLimitBytes: number, cachedBytes: number): Promise<Resources> {
  const [meminfo, disk, clockSource, clockSources] = await Promise.all([
    readFile("/proc/meminfo", "utf8"),
    statfs(cacheFolder),
    readFile(`${clockFolder}/current_clocksource`, "utf8"),
    readFile(`${clockFolder}/available_clocksource`, "utf8"),
  ]);
  const kilobytes = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, "mu").exec(meminfo)?.[1] ?? Number.NaN);
  return {
    cores: availableParallelism(),
    memoryBytes: kilobytes("MemTotal"),
    availableBytes: kilobytes("MemAvailable"),
    cacheFolder,
    freeDiskBytes: disk.bavail * disk.bsize,
    snapshotLimitBytes,
    cachedBytes,
    clockSource: clockSource.trim(),
    clockSources: clockSources.trim().split(/\s+/u),
  };
}

/** Judges what the host has. */
export function resourceParts({ cores, memoryBytes, availableBytes, cacheFolder, freeDiskBytes, snapshotLimitBytes, cachedBytes, clockSource, clockSources }: Resources): HostPart[] {
  const roomBytes = freeDiskBytes + cachedBytes;
  return [
    partOf("processors", "a lab of four machines takes turns, and its times say little", { state: cores >= 2 ? "works" : "slower", seen: `${cores} of them` }),
    partOf("memory", "no lab runs below 3 GB: its four machines take 2 GB", {
      state: memoryBytes < leastMemory ? "missing" : availableBytes < comfortableMemory ? "slower" : "works",
      seen: `${inGigabytes(memoryBytes)}, ${inGigabytes(availableBytes)} of it available`,
      ...(memoryBytes >= leastMemory && { mend: "ps --sort=-rss -eo rss,comm | head  # what takes it" }),
    }),
    partOf("disk", "no image can be built below 2 GB; below the snapshots' limit labs boot where they could be restored", {
      state: roomBytes < leastDisk ? "missing" : roomBytes < leastDisk + snapshotLimitBytes ? "slower" : "works",
      seen: `${inGigabytes(freeDiskBytes)} free for ${cacheFolder}, ${inGigabytes(cachedBytes)} in it already; snapshots may take ${inGigabytes(snapshotLimitBytes)}`,
      mend: "export FWLAB_CACHE=FOLDER  # on a larger disk; FWLAB_SNAPSHOT_LIMIT=1G takes less",
    }),
    partOf("clock source", "each look at the time costs a trap into the hypervisor: under load labs stand still, and runs are invalid", {
      state: quickClocks.includes(clockSource) ? "works" : "slower",
      seen: `${clockSource} (of ${clockSources.join(", ")})`,
      ...quickClock(clockSources),
    }),
  ];
}

function quickClock(clockSources: readonly string[]): { readonly mend?: string } {
  const quick = quickClocks.find((name) => clockSources.includes(name));
  return quick === undefined ? {} : { mend: `echo ${quick} | sudo tee ${clockFolder}/current_clocksource` };
}

function inGigabytes(bytes: number): string {
  return `${(bytes / gigabyte).toFixed(1)} GB`;
}
