import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GenericContainer, type ContainerRuntimeClient } from "testcontainers";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import type { Progress } from "../progress/progress.ts";
import { lifelineLabel, removeLeftovers } from "./leftovers.ts";
import { containerEngine, ensureToolboxImage } from "./toolboxImage.ts";
import type { ToolboxPurpose } from "./toolboxPackages.ts";

export interface ToolboxOptions {
  readonly purpose: ToolboxPurpose;
  /** Of the repository: it is the container's at the same path. */
  readonly repository: string;
  readonly cache: string;
  /** Where the user is. */
  readonly callersFolder: string;
  /** Verb and arguments of fwlab's. */
  readonly args: readonly string[];
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * What a lab needs beside what every container has, and why:
 * - SYS_ADMIN: it makes namespaces and mounts of its own, in which all of it lives.
 * - NET_ADMIN: it makes bridges and taps in there.
 * - AppArmor's profile for containers forbids every mount; where there is no AppArmor this asks for nothing.
 * Not privileged: no device but /dev/net/tun and /dev/kvm, seccomp's filter as the engine has it.
 */
const capabilities = ["SYS_ADMIN", "NET_ADMIN"] as const;
const securityOptions = ["apparmor=unconfined"] as const;
const devices = ["/dev/net/tun", "/dev/kvm"] as const;

/** Environment that decides what fwlab does; nothing else of the host's comes into the container. */
const handedOn = /^(?:FWLAB_(?!CACHE|TOOLBOX|PARENT|OUTSIDE)\w+|CI|GITHUB_ACTIONS|NO_COLOR|FORCE_COLOR)$/u;

/** A container of the toolbox, with devices, for which testcontainers has no word. */
class Toolbox extends GenericContainer {
  withDevices(paths: readonly string[]): this {
    this.hostConfig.Devices = paths.map((path) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: "rwm" }));
    return this;
  }
}

/**
 * Runs fwlab's own command line in a container that has all programs. What it prints is printed here. It ends with this process, however that ends.
 * Gives its exit code. @throws Failure (usage) when there is no engine, no image, or the container cannot be started; the signal's reason.
 */
export async function runInToolbox({ purpose, repository, cache, callersFolder, args, progress, signal }: ToolboxOptions): Promise<number> {
  const engine = await containerEngine();
  await removeLeftovers(engine, progress);
  const image = await ensureToolboxImage(engine, purpose, progress);
  signal.throwIfAborted();
  await using lifeline = await Lifeline.open();
  const present = devices.filter((path) => existsSync(path));
  const mounts = [...new Set([repository, cache, callersFolder, lifeline.folder].map((folder) => folder.replace(/\/$/u, "")))];
  const environment = Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value !== undefined && handedOn.test(name) ? [[name, value]] : [])));
  const owner = await ownerOfFiles(engine);
  const container = new Toolbox(image)
    .withAutoCleanup(false)
    .withAddedCapabilities(...capabilities)
    .withSecurityOpt(...securityOptions)
    .withDevices(present)
    .withBindMounts(mounts.map((folder) => ({ source: folder, target: folder, mode: "rw" as const })))
    .withEnvironment({ ...environment, FWLAB_CACHE: cache, INIT_CWD: callersFolder, ...(owner !== undefined && { FWLAB_OWNER: owner }) })
    .withLabels({ [lifelineLabel]: lifeline.socket })
    .withWorkingDir(repository)
    .withCommand(["node", join(repository, "scripts", "toolboxEntry.mjs"), lifeline.socket, ...args]);
  try {
    const started = await container.start();
    return await untilEnded(engine, started.getId(), signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof Failure ? cause : new Failure({ tried: `start the toolbox ${image}`, seen: messageOf(cause), remedy: "Look at the engine's own log", exit: exitCode.usage, cause });
  }
}

/** Prints what a container prints, hands an interruption on, and removes the container when it has ended. Gives its exit code. */
async function untilEnded(engine: ContainerRuntimeClient, id: string, signal: AbortSignal): Promise<number> {
  const container = engine.container.getById(id);
  const onAbort = (): void => {
    // One that has ended already needs no telling.
    container.kill({ signal: "SIGINT" }).catch(() => undefined);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const output = await container.logs({ follow: true, stdout: true, stderr: true });
    engine.container.dockerode.modem.demuxStream(output, process.stdout, process.stderr);
    const drained = new Promise((resolve) => output.once("end", resolve));
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    await drained;
    return StatusCode;
  } finally {
    signal.removeEventListener("abort", onAbort);
    await container.remove({ force: true });
  }
}

/** Whose the files are to be that the container's root makes, as chown(1) writes it; undefined where its root is this user. */
async function ownerOfFiles(engine: ContainerRuntimeClient): Promise<string | undefined> {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  if (uid === 0) return undefined;
  const { SecurityOptions = [] } = (await engine.container.dockerode.info()) as { SecurityOptions?: string[] };
  return SecurityOptions.some((option) => option.includes("rootless")) ? undefined : `${uid}:${gid}`;
}

/** A socket that the container holds on to: when this process is gone, however it went, the container ends itself. */
class Lifeline implements AsyncDisposable {
  readonly folder: string;
  readonly socket: string;
  readonly #close: () => Promise<void>;

  private constructor(folder: string, close: () => Promise<void>) {
    this.folder = folder;
    this.socket = join(folder, "lifeline");
    this.#close = close;
  }

  static async open(): Promise<Lifeline> {
    const folder = await mkdtemp(join(tmpdir(), "fwlab-toolbox-"));
    const held = new Set<Socket>();
    const server = createServer((socket) => {
      held.add(socket);
      // What the other end's going says is said by the container's end.
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(join(folder, "lifeline"), resolve);
    });
    return new Lifeline(folder, async () => {
      for (const socket of held) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}
