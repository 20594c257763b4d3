import { spawn } from "node:child_process";
import { access, mkdir, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { findProgram } from "../../lab/host/requirements.ts";
import { toolboxPackages } from "../../lab/toolbox/toolboxImage.ts";

/** Why the toolbox cannot be tried here; undefined where it can. */
export const noEngine = process.getuid?.() !== 0 ? "skipped: an engine of the test's own is started by root alone" : findProgram("dockerd") === undefined ? "skipped: there is no dockerd (Debian's docker.io)" : undefined;

/** A container engine of the test's own. */
export interface Engine extends AsyncDisposable {
  /** What tells docker's clients where it is. */
  readonly environment: Readonly<Record<string, string>>;
  readonly docker: (...args: readonly string[]) => Promise<string>;
}

const startsWithinMs = 60_000;

/** Starts Docker's engine in a network namespace of its own, with its bridge in there, and without a rule of iptables: it touches nothing of the host's. @throws Error with its last words when it does not start. */
export async function startEngine(): Promise<Engine> {
  const folder = await mkdtemp(join(tmpdir(), "fwlab-engine-"));
  const socket = join(folder, "docker.sock");
  const logFile = join(folder, "log.txt");
  const log = await open(logFile, "a");
  await mkdir(join(folder, "exec"));
  const daemon = spawn("setpriv", ["--pdeathsig", "KILL", "unshare", "--net", "--", "dockerd", "--host", `unix://${socket}`, "--data-root", join(folder, "data"), "--exec-root", join(folder, "exec"), "--pidfile", join(folder, "pid"), "--iptables=false", "--ip6tables=false"], {
    stdio: ["ignore", log.fd, log.fd],
    env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  });
  await log.close();
  const ended = new Promise<void>((resolve) => daemon.once("exit", () => resolve()));
  const environment = { DOCKER_HOST: `unix://${socket}` };
  const docker: Engine["docker"] = async (...args) => (await execa("docker", args, { env: environment, stdin: "ignore" })).stdout;
  const dispose = async (): Promise<void> => {
    daemon.kill("SIGTERM");
    await Promise.race([ended, delay(20_000)]);
    daemon.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const deadlineMs = Date.now() + startsWithinMs;
  for (;;) {
    try {
      await access(socket);
      await docker("version");
      return { environment, docker, [Symbol.asyncDispose]: dispose };
    } catch (cause) {
      if (daemon.exitCode !== null || Date.now() > deadlineMs) {
        const said = await readFile(logFile, "utf8");
        await dispose();
        throw new Error(`dockerd does not start; it said last:\n${said.split("\n").slice(-15).join("\n")}`, { cause });
      }
      await delay(200);
    }
  }
}

/** Makes an image of Debian 12 with what the toolbox needs and this host's Node, by mmdebstrap: no registry is asked. Takes a minute or two. */
export async function importBase({ docker }: Engine, name: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "fwlab-base-"));
  try {
    const tar = join(folder, "base.tar");
    const mirror = process.env["FWLAB_MIRROR"];
    await execa("mmdebstrap", ["--mode=root", "--variant=minbase", `--include=${[...toolboxPackages(), "libstdc++6"].join(",")}`, `--customize-hook=copy-in ${process.execPath} /usr/bin`, "bookworm", tar, ...(mirror === undefined || mirror === "" ? [] : [mirror])], { stdin: "ignore" });
    await docker("import", tar, name);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
