import { execa } from "execa";
import { messageOf } from "../failure/failure.ts";
import { findProgram, hostPrograms, installCommand, notFound, type AbsentProgram } from "../host/requirements.ts";
import { partOf, type HostPart } from "./part.ts";

/** The package of the browser that tests look at reports with. */
const browserPackage = "chromium";

/** Programs whose version matters to whoever compares two hosts, with what makes them tell it. */
const versions = [
  ["qemu-system-x86_64", "--version"],
  ["tshark", "--version"],
  ["mmdebstrap", "--version"],
  ["ip", "-Version"],
] as const;

export interface Programs {
  readonly absent: readonly AbsentProgram[];
  /** First lines of what programs say of their version. */
  readonly versions: readonly string[];
  readonly browser: string | undefined;
}

/** Asks some of the host's programs, as far as they are there, for their version. @throws the signal's reason. */
export async function programVersions(signal?: AbortSignal): Promise<string[]> {
  const told = versions.map(async ([program, option]) => {
    const path = findProgram(program);
    if (path === undefined) return [];
    const { failed, stdout, stderr, originalMessage } = await execa(path, [option], { reject: false, stdin: "ignore", timeout: 20_000, ...(signal && { cancelSignal: signal }) });
    signal?.throwIfAborted();
    return [failed ? `${program} does not tell its version: ${messageOf(stderr === "" ? originalMessage : stderr)}` : shortVersion(program, stdout)];
  });
  return (await Promise.all(told)).flat();
}

/** The browser that tests would use, if there is one. */
export function findBrowser(): string | undefined {
  return hostPrograms.tests[browserPackage]?.find((program) => findProgram(program) !== undefined);
}

/** Name and number of a program, out of the first line that it says of its version. */
export function shortVersion(program: string, said: string): string {
  const first = said.split("\n", 1)[0] ?? "";
  return `${program.replace(/-system-x86_64$/u, "")} ${/\d+(?:\.\d+)+/u.exec(first)?.[0] ?? first.trim()}`;
}

/** Judges them. */
export function programParts({ absent, versions: told, browser }: Programs): HostPart[] {
  return [
    partOf("programs", "no lab runs, or none can be built, captured or read", {
      state: absent.length === 0 ? "works" : "missing",
      seen: absent.length === 0 ? `all there: ${told.join(", ")}` : notFound(absent),
      mend: installCommand(absent.map(([, debianPackage]) => debianPackage)),
    }),
    partOf("browser", "reports are written all the same; npm test skips what looks at them in a browser", {
      state: browser === undefined ? "slower" : "works",
      seen: browser ?? "none found",
      mend: installCommand([browserPackage]),
    }),
  ];
}
