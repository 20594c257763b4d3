import type { DirectorTable } from "../evidence/sandwich.ts";
import { exitCode, Failure } from "../failure/failure.ts";

/** Prints what `parseDirector` reads: the service as it would be restored, then counters as whole numbers. Source: ipvsadm(8), `--save`, `--stats`, `--exact`. */
export const directorCommand = "ipvsadm --save --numeric && ipvsadm --list --numeric --stats --exact";

const serviceLine = /^-A (?:-f|-t|-u) \S+ -s (?<scheduler>\S+)/mu;
const row = /^ {2}-> (?<address>\d+\.\d+\.\d+\.\d+):\d+ +(?<connections>\d+) +(?<inPackets>\d+) +\d+ +(?<inBytes>\d+) +\d+$/u;

/** A director's first service: how it chooses, and what each real server was given. @throws Failure when the answer is in no form that is known here, or has no service. */
export function parseDirector(text: string): DirectorTable {
  const scheduler = serviceLine.exec(text)?.groups?.["scheduler"];
  const rows = text.split("\n").filter((line) => line.startsWith("  -> ") && !line.includes("RemoteAddress:Port"));
  const servers = rows.flatMap((line) => {
    const { address, connections, inPackets, inBytes } = row.exec(line.trimEnd())?.groups ?? {};
    return address === undefined ? [] : [{ address, connections: Number(connections), inPackets: Number(inPackets), inBytes: Number(inBytes) }];
  });
  if (scheduler !== undefined && servers.length > 0 && servers.length === rows.length) return { scheduler, servers };
  throw new Failure({ tried: "read the director's statistics", seen: text.slice(0, 400), remedy: "Compare it with ipvsadm(8)'s --save and --stats", exit: exitCode.invalid });
}
