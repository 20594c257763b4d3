import { readFileSync } from "node:fs";
import { exitCode, Failure } from "../failure/failure.ts";
import { managementBridge, tapName, type MachineSpec, type NativeHost } from "../topology/topology.ts";

/** Whoever has NICs on bridges. */
export type Host = Pick<MachineSpec | NativeHost, "name" | "nics">;

/** Counts of the links of this process's network namespace. */
const countsFile = "/proc/self/net/dev";

/**
 * How many frames these hosts have sent to their bridges so far, the management's apart: a frame is counted when its bridge has it. Reads one file, in less
 * than a millisecond. @throws Failure when a link of theirs is not in this process's network namespace.
 */
export function framesSent(hosts: readonly Host[], counts = readFileSync(countsFile, "utf8")): number {
  const received = receivedFrames(counts);
  const links = hosts.flatMap((host) => host.nics.filter(({ bridge }) => bridge !== managementBridge).map((nic) => tapName(host, nic)));
  return links.reduce((sum, link) => {
    const frames = received.get(link);
    if (frames === undefined) {
      throw new Failure({
        tried: `count the frames that ${link} brought to its bridge, in ${countsFile}`,
        seen: `there is no such link; there are ${[...received.keys()].join(", ")}`,
        remedy: "The lab's bridges and taps must be there, in the namespace of this process",
        exit: exitCode.invalid,
      });
    }
    return sum + frames;
  }, 0);
}

/** Frames that each link has received. Source: proc_pid_net(5), the second column after the name. */
function receivedFrames(counts: string): ReadonlyMap<string, number> {
  const lines = [...counts.matchAll(/^\s*(\S+):\s*\d+\s+(\d+)/gmu)];
  return new Map(lines.map(([, link = "", frames]) => [link, Number(frames)]));
}
