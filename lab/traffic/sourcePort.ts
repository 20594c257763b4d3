import type { Endpoint } from "../evidence/ledger.ts";
import { Failure } from "../failure/failure.ts";
import type { MachineShell } from "../machine/shell.ts";

/** Local ends in the output of `ss -Htn state established`: Recv-Q, Send-Q, local, peer. Lines of another shape are not ends. */
export function parseLocalEnds(output: string): Endpoint[] {
  return output.split("\n").flatMap((line) => {
    const match = /^\d+\s+\d+\s+([\d.]+):(\d+)\s+[\d.]+:\d+\s*$/u.exec(line.trim());
    return match?.[1] === undefined ? [] : [{ address: match[1], port: Number(match[2]) }];
  });
}

/** The machine's own ends of its established TCP connections to an address. @throws Failure when the machine does not answer. */
export async function localEndsTo(shell: MachineShell, address: string, port: number, signal: AbortSignal): Promise<Endpoint[]> {
  return parseLocalEnds(await shell.must(`ss -Htn state established dst ${address}:${port}`, { signal }));
}

/** The one end that is in `after` and not in `before`. @throws Failure when there is not exactly one. */
export function newEnd(before: readonly Endpoint[], after: readonly Endpoint[], machine: string): Endpoint {
  const fresh = after.filter((end) => !before.some((old) => old.address === end.address && old.port === end.port));
  const [end] = fresh;
  if (end === undefined || fresh.length > 1) {
    throw new Failure({
      tried: `find the source port of an ssh flow on ${machine}`,
      seen: `${fresh.length} new connections: ${fresh.map(({ address, port }) => `${address}:${port}`).join(", ") || "none"}`,
      remedy: `Let nothing else open connections from ${machine} to the server's sshd meanwhile`,
      exit: 3,
    });
  }
  return end;
}
