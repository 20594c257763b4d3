import { accessSync, closeSync, constants, existsSync, openSync, readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";

/** The host's programs and files, and the Debian 12 / Ubuntu 24.04 packages that hold them. scripts/bootstrap.mjs installs by the same list. */
export const hostPrograms = JSON.parse(readFileSync(new URL("programs.json", import.meta.url), "utf8")) as {
  readonly everyone: Readonly<Record<string, string>>;
  readonly ordinaryUser: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  /** By package: programs of which one is enough, and which only tests need. */
  readonly tests: Readonly<Record<string, readonly string[]>>;
  /** As `tests`: with what tests look at graphical consoles. */
  readonly screens: Readonly<Record<string, readonly string[]>>;
};

/** Oldest QEMU whose behaviour is relied on: Debian 12 has 7.2. */
const oldestQemu = [7, 0] as const;
/** Bytes of memory below which four machines of 256 MiB and their image do not fit. */
const leastMemory = 3_000_000_000;

/** One thing that the host lacks: what was looked for, what was seen, what to do. */
export interface MissingPart {
  readonly what: string;
  readonly seen: string;
  readonly remedy: string;
}

/** A program or file that is not there, with the Debian package that holds it. */
export type AbsentProgram = readonly [name: string, debianPackage: string];

/** What the host has and lacks. */
export interface HostReport {
  /** QEMU's version, "7.2.22", when it is there. */
  readonly qemuVersion: string | undefined;
  readonly memoryBytes: number;
  readonly absent: readonly AbsentProgram[];
  /** What a lab does not run without, the absent programs among it. */
  readonly missing: readonly MissingPart[];
}

/** Looks for everything that a lab needs of its host. Changes nothing. */
export async function inspectHost(signal?: AbortSignal): Promise<HostReport> {
  const isRoot = process.getuid?.() === 0;
  const wanted = Object.entries({ ...hostPrograms.everyone, ...(isRoot ? {} : hostPrograms.ordinaryUser) });
  const absent = [
    ...wanted.filter(([program]) => findProgram(program) === undefined),
    ...Object.entries(hostPrograms.files).filter(([file]) => !existsSync(file)),
  ];
  const qemu = absent.some(([program]) => program === "qemu-system-x86_64") ? undefined : await qemuVersion(signal);
  const missing = [
    ...(absent.length === 0 ? [] : [missingPrograms(absent)]),
    ...(qemu === undefined ? [] : tooOld(qemu)),
    ...tunDevice(),
    ...(isRoot ? [] : await userNamespaces(signal)),
    ...(totalmem() >= leastMemory
      ? []
      : [{ what: "memory", seen: `this host has ${(totalmem() / 1e9).toFixed(1)} GB`, remedy: `Four machines need ${leastMemory / 1e9} GB.` }]),
  ];
  return { qemuVersion: qemu?.version, memoryBytes: totalmem(), absent, missing };
}

/** As `inspectHost`. @throws Failure (usage) that names everything that is missing. */
export async function requireHost(signal?: AbortSignal): Promise<HostReport> {
  const report = await inspectHost(signal);
  const [first, ...others] = report.missing;
  if (first !== undefined) {
    throw new Failure({
      tried: `look for what this host must have: ${first.what}`,
      seen: first.seen,
      remedy: first.remedy,
      exit: exitCode.usage,
      details: others.map(({ what, seen, remedy }) => `${what}: ${seen}. ${remedy}`),
    });
  }
  return report;
}

/** Path of a program by PATH and the administrators' folders, which an ordinary user's PATH lacks; undefined when there is none. */
export function findProgram(program: string, path = process.env["PATH"] ?? ""): string | undefined {
  return [...path.split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"]
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, program))
    .find((file) => isExecutable(file));
}

/** Version out of `qemu-system-x86_64 --version`, as text and as numbers. @throws RangeError when it names none. */
export function parseQemuVersion(output: string): { version: string; major: number; minor: number } {
  const match = /QEMU emulator version ((\d+)\.(\d+)(?:\.\d+)*)/u.exec(output);
  if (match?.[1] === undefined) {
    throw new RangeError(`no QEMU version in: ${messageOf(output).slice(0, 200)}`);
  }
  return { version: match[1], major: Number(match[2]), minor: Number(match[3]) };
}

/** The one command that installs packages. */
export function installCommand(packages: readonly string[]): string {
  return `sudo apt-get install -y --no-install-recommends ${[...new Set(packages)].toSorted().join(" ")}`;
}

/** What absent programs are told as. */
export function notFound(absent: readonly AbsentProgram[]): string {
  return `${absent.map(([name]) => name).join(", ")} not found`;
}

function missingPrograms(absent: readonly AbsentProgram[]): MissingPart {
  return { what: "programs", seen: notFound(absent), remedy: `Install: ${installCommand(absent.map(([, debianPackage]) => debianPackage))}` };
}

async function qemuVersion(signal?: AbortSignal): Promise<ReturnType<typeof parseQemuVersion>> {
  const result = await execa(findProgram("qemu-system-x86_64") ?? "qemu-system-x86_64", ["--version"], {
    reject: false,
    stdin: "ignore",
    timeout: 20_000,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  try {
    return parseQemuVersion(result.stdout);
  } catch (cause) {
    throw new Failure({
      tried: "ask qemu-system-x86_64 for its version",
      seen: result.failed ? messageOf(result.stderr === "" ? result.originalMessage : result.stderr) : messageOf(cause),
      remedy: "Install the package qemu-system-x86 anew.",
      exit: exitCode.usage,
      cause,
    });
  }
}

function tooOld({ version, major, minor }: ReturnType<typeof parseQemuVersion>): MissingPart[] {
  const [leastMajor, leastMinor] = oldestQemu;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) {
    return [];
  }
  return [{ what: "QEMU", seen: `version ${version} is too old`, remedy: `Install QEMU ${leastMajor}.${leastMinor} or newer (Debian 12 and Ubuntu 24.04 have it).` }];
}

function tunDevice(): MissingPart[] {
  try {
    closeSync(openSync("/dev/net/tun", "r+"));
    return [];
  } catch (thrown) {
    return [
      {
        what: "/dev/net/tun",
        seen: messageOf(thrown),
        remedy: "Load the module (modprobe tun), hand the device to the container (--device /dev/net/tun), or run as root.",
      },
    ];
  }
}

async function userNamespaces(signal?: AbortSignal): Promise<MissingPart[]> {
  const result = await execa("unshare", ["--user", "--map-root-user", "--net", "--mount", "true"], {
    reject: false,
    stdin: "ignore",
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  return result.failed
    ? [
        {
          what: "user namespaces",
          seen: messageOf(result.stderr === "" ? result.originalMessage : result.stderr),
          remedy: "Run as root, or allow them: sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu 24.04).",
        },
      ]
    : [];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
