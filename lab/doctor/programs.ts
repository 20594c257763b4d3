import { execa } from "execa";
import { messageOf } from "../failure/failure.ts";
import { findProgram, hostPrograms } from "../host/requirements.ts";
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

/** A program's place, if there is one. */
export type Find = (program: string) => string | undefined;

export interface Programs {
  /** Programs and files that are not there, with the Debian packages that hold them. */
  readonly absent: readonly (readonly [name: string, debianPackage: string])[];
  /** First lines of what programs say of their version. */
  readonly versions: readonly string[];
  readonly browser: string | undefined;
}

/** Looks for the host's programs, and asks some for their version. */
export async function findPrograms(isRoot: boolean, exists: (file: string) => boolean, find: Find = (program) => findProgram(program), signal?: AbortSignal): Promise<Programs> {
  const { everyone, ordinaryUser, files, tests } = hostPrograms;
  const wanted = Object.entries({ ...everyone, ...(isRoot ? {} : ordinaryUser) });
  const absent = [...wanted.filter(([program]) => find(program) === undefined), ...Object.entries(files).filter(([file]) => !exists(file))];
  const told = versions.map(async ([program, option]) => {
    const path = find(program);
    if (path === undefined) return [];
    const { failed, stdout, stderr, originalMessage } = await execa(path, [option], { reject: false, stdin: "ignore", timeout: 20_000, ...(signal && { cancelSignal: signal }) });
    signal?.throwIfAborted();
    return [failed ? `${program} does not tell its version: ${messageOf(stderr === "" ? originalMessage : stderr)}` : shortVersion(program, stdout)];
  });
  return { absent, versions: (await Promise.all(told)).flat(), browser: tests[browserPackage]?.find((program) => find(program) !== undefined) };
}

/** Name and number of a program, out of the first line that it says of its version. */
export function shortVersion(program: string, said: string): string {
  const first = said.split("\n", 1)[0] ?? "";
  return `${program.replace(/-system-x86_64$/u, "")} ${/\d+(?:\.\d+)+/u.exec(first)?.[0] ?? first.trim()}`;
}

/** Judges them. */
export function programParts({ absent, versions: told, browser }: Programs): HostPart[] {
  const install = (packages: readonly string[]) => `sudo apt-get install -y --no-install-recommends ${[...new Set(packages)].toSorted().join(" ")}`;
  return [
    partOf("programs", "no lab runs, or none can be built, captured or read", {
      state: absent.length === 0 ? "works" : "missing",
      seen: absent.length === 0 ? `all there: ${told.join(", ")}` : `${absent.map(([name]) => name).join(", ")} not found`,
      mend: install(absent.map(([, debianPackage]) => debianPackage)),
    }),
    partOf("browser", "reports are written all the same; npm test skips what looks at them in a browser", {
      state: browser === undefined ? "slower" : "works",
      seen: browser ?? "none found",
      mend: install([browserPackage]),
    }),
  ];
}
