/** What a command answered. */
export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
  /** Milliseconds by the machine's own clock, where it was asked for them. */
  readonly tookMs?: number;
}

export interface CommandOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds until the command counts as hung. */
  readonly timeoutMs?: number;
  /** Bytes for the command's standard input. */
  readonly input?: string | Buffer;
  /** How the command's outputs are read: UTF-8 unless it is said; as `latin1` a character is a byte, whatever it is. */
  readonly encoding?: "utf8" | "latin1";
}

/**
 * Control of one machine over the management bridge, by SSH. Independent of the system under test.
 * Anything that talks to a machine takes this, so that it can be tested on another host's shell.
 */
export interface MachineShell {
  readonly name: string;
  /** IPv4 address of the machine on the management bridge. */
  readonly address: string;
  /** Runs a command line by the guest's sh and gives its answer, whatever the exit code. @throws Failure when the machine does not answer. */
  run(command: string, options?: CommandOptions): Promise<CommandResult>;
  /** As `run`, for commands that must succeed: gives stdout. @throws Failure with command, exit code and stderr otherwise. */
  must(command: string, options?: CommandOptions): Promise<string>;
}

export interface FollowOptions {
  /** Takes each whole line of the command's standard output, as soon as it is here. */
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** How a command that was followed ended. */
export interface FollowEnd {
  /** Undefined when the command was closed, or the connection broke before the command ended. */
  readonly exitCode: number | undefined;
  readonly stderr: string;
}

/** A command that runs on while its output is read line by line. Disposal closes it. */
export interface FollowedCommand extends AsyncDisposable {
  /** Writes to the command's standard input. */
  write(text: string): void;
  /** Settles when the command has ended, was closed, or its machine is gone; never rejects. */
  readonly ended: Promise<FollowEnd>;
}

/** A shell that can also follow a command. */
export interface FollowingShell extends MachineShell {
  /** Starts a command line by the guest's sh. Resolves when the machine has taken it. @throws Failure when the machine gives no channel. */
  follow(command: string, options: FollowOptions): Promise<FollowedCommand>;
}
