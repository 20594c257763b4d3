import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll } from "vitest";
import { insideNamespaces } from "../../lab/host/namespaces.ts";

/** A folder that every Linux has and that nothing here uses. Not the lab's own folder: commands mount theirs over it. */
const mountPoint = "/dev/shm";

/**
 * An empty folder for the tests of this file, in memory, in the mount namespace of this test run: when that is killed, it is gone too.
 * @throws Error, before the tests, in the host's own namespaces, which these tests must not touch.
 */
export function temporaryFolder(): () => string {
  let folder: string | undefined;
  beforeAll(async () => {
    if (!insideNamespaces()) throw new Error("these tests mount, kill and leave things on purpose: run them by npm test, which gives them namespaces of their own");
    await execa("mount", ["-t", "tmpfs", "-o", "mode=0700", "fwlab-lifecycle", mountPoint]);
    folder = await mkdtemp(join(mountPoint, "fwlab-lifecycle-"));
  });
  afterAll(async () => {
    if (folder !== undefined) await execa("umount", [mountPoint]);
  });
  return () => {
    if (folder === undefined) throw new Error("the folder is there when tests run, not before");
    return folder;
  };
}
