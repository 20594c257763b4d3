import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { access, mkdir, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { findProgram } from "../../lab/host/requirements.ts";
import { toolboxBaseFile } from "../../lab/toolbox/toolboxBase.ts";

/** Why the toolbox cannot be tried here; undefined where it can, and where it must: `.ci/run` brings an engine, and says so. */
export const noToolbox = process.env["FWLAB_ENGINE_EXPECTED"] === undefined ? missing() : undefined;

function missing(): string | undefined {
  if (process.getuid?.() !== 0) return "skipped: an engine of the test's own is started by root alone";
  if (findProgram("dockerd") === undefined) return "skipped: there is no dockerd (Debian's docker.io)";
  return existsSync(toolboxBaseFile()) ? undefined : "skipped: the toolbox's base could not be made";
}

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
