import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { GenericContainer, getContainerRuntimeClient, ImageName, type ContainerRuntimeClient } from "testcontainers";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import type { Progress } from "../progress/progress.ts";
import { toolboxPackages, type ToolboxPurpose } from "./toolboxPackages.ts";

// Its helper that removes forgotten containers comes from a registry; ours end with whoever started them. Where the engine can be reached by TCP is not asked: nothing listens in a toolbox.
process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
process.env["TESTCONTAINERS_HOST_OVERRIDE"] ??= "localhost";

const context = fileURLToPath(new URL("../../fixtures/toolbox", import.meta.url));

/** Base of the toolbox: an image of Debian 12 with Node 20 or newer. `FWLAB_TOOLBOX_BASE` names another, for hosts that reach no registry. */
export function toolboxBase({ FWLAB_TOOLBOX_BASE: own }: NodeJS.ProcessEnv = process.env): string {
  return own === undefined || own === "" ? "node:20-bookworm-slim" : own;
}

/** The engine, Docker or Podman, as it is found: by DOCKER_HOST, or its usual socket. @throws Failure (usage) when there is none, or it does not answer. */
export async function containerEngine(): Promise<ContainerRuntimeClient> {
  try {
    return await getContainerRuntimeClient();
  } catch (cause) {
    throw new Failure({
      tried: "find a container engine",
      seen: messageOf(cause),
      remedy: "Start Docker or Podman (systemctl start docker, or systemctl --user start podman.socket), let this user use it, or name its socket with DOCKER_HOST",
      exit: exitCode.usage,
      cause,
    });
  }
}

/**
 * The toolbox's image for a purpose and today's list of programs: there already, or built now. Where one for tests cannot be built, that is said, and it is the one for a lab: tests that need more are skipped in there and say why,
 * as on a host. Gives its name. @throws Failure (usage) when it cannot be built.
 */
export async function ensureToolboxImage(engine: ContainerRuntimeClient, purpose: ToolboxPurpose, progress: Progress): Promise<string> {
  if (purpose === "lab") return await ensureImage(engine, purpose, progress);
  try {
    return await ensureImage(engine, purpose, progress);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    progress.note(`${error.message}\nthe tests run in the toolbox that labs have`);
    return await ensureImage(engine, "lab", progress);
  }
}

async function ensureImage(engine: ContainerRuntimeClient, purpose: ToolboxPurpose, progress: Progress): Promise<string> {
  const base = toolboxBase();
  const packages = toolboxPackages(purpose);
  const hash = createHash("sha256").update(`${base}\n${packages.join(" ")}\n`).update(await readFile(`${context}/Dockerfile`));
  const name = `fwlab-toolbox:${hash.digest("hex").slice(0, 16)}`;
  if (await engine.image.exists(ImageName.fromString(name))) return name;
  using step = progress.step(`build the toolbox for ${purpose === "lab" ? "labs" : "tests"} from ${base}`);
  try {
    await GenericContainer.fromDockerfile(context).withBuildArgs({ BASE: base, PACKAGES: packages.join(" ") }).build(name, { deleteOnExit: false });
  } catch (cause) {
    throw new Failure({ tried: `build the toolbox ${name} from ${base}`, seen: messageOf(cause), remedy: "The engine needs its base, from a registry or by docker import (FWLAB_TOOLBOX_BASE names another), and Debian's mirror for packages that the base lacks", exit: exitCode.usage, cause });
  }
  step.done(name);
  return name;
}
