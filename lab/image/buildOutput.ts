import { exitCode, Failure } from "../failure/failure.ts";

/** What mmdebstrap's and build.sh's lines mean, in words for whoever waits. mmdebstrap 1.3 and 1.4. */
const stages: readonly (readonly [pattern: RegExp, stage: string])[] = [
  [/^I: running apt-get update/u, "fetching the package lists"],
  [/^I: downloading packages/u, "downloading packages"],
  [/^I: extracting archives/u, "unpacking the base system"],
  [/^I: installing essential packages/u, "installing the base system"],
  [/^I: installing remaining packages/u, "installing packages"],
  [/^I: running .*customize/u, "trimming the root and packing the initrd"],
  [/^I: cleaning package lists/u, "cleaning up"],
  [/^I: creating tarball/u, "writing the root"],
  [/^fwlab: squashfs$/u, "squashfs"],
  [/^fwlab: storing$/u, "storing the image in the cache"],
];

/** The stage of the build that a line of its output begins, or undefined when it begins none. */
export function stageOf(line: string): string | undefined {
  return stages.find(([pattern]) => pattern.test(line))?.[1];
}

/** What a build that failed told. `lines` is its output, oldest first; `scratch` is where its tmpfs was mounted, `cache` the cache. */
export interface FailedBuild {
  readonly lines: readonly string[];
  readonly end: string;
  readonly cache: string;
}

interface Cause {
  readonly pattern: RegExp;
  readonly seen: (match: RegExpExecArray, build: FailedBuild) => string;
  readonly remedy: string;
}

/**
 * Causes that are told apart. The first whose pattern is in the output is the one: what it costs to be wrong is a misleading line, so
 * patterns that name their cause beyond doubt stand first.
 */
const causes: readonly Cause[] = [
  {
    pattern: /E: Unable to locate package (\S+)|E: Package '?([^\s']+)'? has no installation candidate/u,
    seen: (match) => `Debian 12 has no package ${match[1] ?? match[2] ?? ""}`,
    remedy: "Mend fixtures/image/packages, or name a complete mirror with FWLAB_MIRROR=URL.",
  },
  {
    pattern: /No space left on device|You don't have enough free space/u,
    seen: (_, build) =>
      build.lines.includes("fwlab: storing") ? `no space left in the cache folder ${build.cache}` : "no space left in the build's memory (a tmpfs of 2 GB)",
    remedy: "Free some space (an image takes 140 MB), or name another cache folder with FWLAB_CACHE=FOLDER.",
  },
  {
    pattern: /Temporary failure resolving '([^']+)'|Could not resolve '([^']+)'|Could not connect to (\S+)|Cannot initiate the connection to (\S+)|Unable to connect to (\S+)/u,
    seen: (match) => `no network: ${match.slice(1).find(Boolean) ?? "the mirror"} cannot be reached`,
    remedy: "Connect this machine to a Debian mirror (http_proxy is honoured), or name one that it reaches with FWLAB_MIRROR=URL.",
  },
  {
    pattern: /NO_PUBKEY|is not signed|couldn't be verified/u,
    seen: () => "the mirror's signature cannot be checked with the keys of this host",
    remedy: "Install the package debian-archive-keyring.",
  },
  {
    pattern: /(?:^|\s)(?:E: )?(?:The repository '([^']+)' does not have a Release file|.*404 {1,2}Not Found)/u,
    seen: (match) => `the mirror lacks what is asked of it${match[1] === undefined ? "" : `: ${match[1]}`}`,
    remedy: "Try again later (a mirror may be in the middle of an update), or name another with FWLAB_MIRROR=URL.",
  },
  {
    pattern: /newuidmap|newgidmap|uid_map|subuid/u,
    seen: () => "this user has no subordinate user ids, which package installation needs",
    remedy: "Install the package uidmap and give the user a range in /etc/subuid and /etc/subgid, or run as root.",
  },
  {
    pattern: /unshare failed: Operation not permitted|unshare: .*Operation not permitted/u,
    seen: () => "this host does not let the user make namespaces",
    remedy: "Run as root, or allow unprivileged user namespaces (kernel.apparmor_restrict_unprivileged_userns=0, kernel.unprivileged_userns_clone=1).",
  },
];

/** The failure of a build, by what it printed. */
export function buildFailure(build: FailedBuild): Failure {
  const details = build.lines.slice(-20);
  const text = build.lines.join("\n");
  for (const { pattern, seen, remedy } of causes) {
    const match = pattern.exec(text);
    if (match !== null) {
      return new Failure({ tried: "build the guest image", seen: seen(match, build), remedy, exit: exitCode.usage, details });
    }
  }
  const lastWord = build.lines.findLast((line) => /^E: |: not found$/u.test(line)) ?? build.lines.at(-1) ?? "nothing was printed";
  return new Failure({
    tried: "build the guest image",
    seen: `${build.end}: ${lastWord}`,
    remedy: "The last lines of mmdebstrap, below, tell more.",
    exit: exitCode.usage,
    details,
  });
}
