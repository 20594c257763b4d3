/** Argument list of a command: its program first. */
export type CommandLine = readonly [string, ...string[]];

/**
 * A command line that runs `command` as first process of mount and PID namespaces of its own, on the network of the caller, so that
 * SIGKILL of anything ends every process of it and takes its mounts away: setpriv ties unshare to the caller, `--kill-child` ties the
 * command to unshare, and the kernel ends a PID namespace with its first process. An ordinary user becomes root of a user namespace
 * that has the user's subordinate ids (newuidmap, of Debian's uidmap), as package installation needs many users.
 */
export function inPrivateMounts(command: CommandLine): CommandLine {
  const asRoot = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user", "--map-auto"];
  return ["setpriv", "--pdeathsig", "KILL", "unshare", ...asRoot, "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", ...command];
}
