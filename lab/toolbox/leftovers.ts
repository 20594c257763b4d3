import { once } from "node:events";
import { rm, rmdir } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import type { ContainerRuntimeClient } from "testcontainers";
import { messageOf } from "../failure/failure.ts";
import type { Progress } from "../progress/progress.ts";

/** Label of a toolbox's container: path of the socket that whoever started it listens on for as long as it lives. */
export const lifelineLabel = "fwlab.lifeline";

/** Removes ended containers of toolboxes, and what their lifelines left behind, where whoever started them is gone: it was killed, as it would have done so itself. Never rejects: what cannot be removed is told. */
export async function removeLeftovers(engine: ContainerRuntimeClient, progress: Progress): Promise<void> {
  try {
    await remove(engine);
  } catch (error) {
    progress.note(`what killed commands left of their toolboxes is not removed: ${messageOf(error)}`);
  }
}

async function remove(engine: ContainerRuntimeClient): Promise<void> {
  const { dockerode } = engine.container;
  const ended = await dockerode.listContainers({ all: true, filters: { label: [lifelineLabel], status: ["created", "exited", "dead"] } });
  for (const { Id, Labels } of ended) {
    const socket = Labels[lifelineLabel];
    if (socket === undefined || (await answers(socket))) continue;
    await dockerode.getContainer(Id).remove().catch(unlessGone);
    await rm(socket, { force: true });
    await rmdir(dirname(socket)).catch(unlessGone);
  }
}

/** Whether somebody listens there, or may: other users' are not to be looked at. */
async function answers(socket: string): Promise<boolean> {
  const connection = connect(socket);
  try {
    await once(connection, "connect");
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES") return true;
    if (code === "ENOENT" || code === "ECONNREFUSED") return false;
    throw error;
  } finally {
    connection.destroy();
  }
}

/** Another fwlab may remove the same things: then they are gone already (404, ENOENT), or being removed (409). */
function unlessGone(error: unknown): void {
  const { code, statusCode } = error as { readonly code?: string; readonly statusCode?: number };
  if (code !== "ENOENT" && statusCode !== 404 && statusCode !== 409) throw error;
}
