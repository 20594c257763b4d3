import { chown, cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cacheFolder } from "../../lab/host/cacheFolder.ts";
import { labStatusSchema } from "../../lab/hand/words.ts";
import { imagesFolder } from "../../lab/image/image.ts";
import { repository } from "../lifecycle/command.ts";
import { bothAddresses, holds } from "./standing.ts";

/** `nobody`: of no group that may do anything. */
const uid = 65_534;

/**
 * Root's part is to open /dev/net/tun, and to lend the user the guest image, the repository and this host's programs. Whoever runs the suites as an ordinary user proves the same by
 * all of them.
 */
describe.skipIf(process.getuid?.() !== 0)("an ordinary user, with /dev/net/tun open", () => {
  let home: string;
  const mounted: string[] = [];
  const mount = async (args: readonly string[], place: string): Promise<void> => {
    await execa("mount", [...args, place]);
    mounted.unshift(place);
  };
  const asUser = (words: readonly string[], timeout = 120_000) =>
    execa("setpriv", ["--reuid", String(uid), "--regid", String(uid), "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "node", "scripts/bootstrap.mjs", ...words], {
      ...{ cwd: join(home, "repository"), stdin: "ignore", reject: false, timeout },
      env: { HOME: home, FWLAB_CACHE: join(home, "cache"), INIT_CWD: join(home, "repository") },
    });

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "fwlab-user-"));
    for (const folder of ["", "dev", "repository", "cache"]) await mkdir(join(home, folder), { recursive: true });
    // Devices of a file system that is mounted without them do not open.
    await mount(["-t", "tmpfs", "-o", "mode=0755", "fwlab-test"], join(home, "dev"));
    await execa("mknod", ["-m", "0666", join(home, "dev", "tun"), "c", "10", "200"]);
    await mount(["--bind", join(home, "dev", "tun")], "/dev/net/tun");
    // Whatever folders lie above it, they may be another's.
    await mount(["--bind", repository], join(home, "repository"));
    await cp(imagesFolder(cacheFolder()), imagesFolder(join(home, "cache")), { recursive: true });
    await execa("chown", ["-R", `${uid}:${uid}`, join(home, "cache")]);
    await chown(home, uid, uid);
  }, 60_000);
  afterAll(async () => {
    await asUser(["down"]);
    for (const place of mounted) await execa("umount", [place]);
    await rm(home, { recursive: true, force: true });
  });

  test("is told by the doctor that labs run", async () => {
    const { exitCode, stdout } = await asUser(["doctor", "--json"]);
    const { parts } = JSON.parse(stdout) as { parts: { name: string; state: string; seen: string }[] };
    // Whom this host lends no further users cannot build an image; one that is there serves all the same.
    expect(parts.filter(({ name, state }) => state === "missing" && name !== "subordinate ids")).toEqual([]);
    expect(parts.find(({ name }) => name === "namespaces")?.seen).toMatch(/^an ordinary user's/u);
    expect([0, 2]).toContain(exitCode);
  });

  test("has a lab by hand, with flows through it, that outlives a power cut", async () => {
    const { exitCode, stdout, stderr } = await asUser(["up", "--flows", "6"], 400_000);
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
    expect((await asUser(["fault", "power-cut", "fw-1"])).stdout).toMatch(/ended by SIGKILL/u);
    await expect
      .poll(
        async () => {
          const status = labStatusSchema.parse(JSON.parse((await asUser(["status", "--json"])).stdout));
          return { holds: holds(status, "fw-2"), flows: status.flows };
        },
        { timeout: 40_000, interval: 1_000 },
      )
      .toEqual({ holds: bothAddresses, flows: { open: 6, moving: 6, still: [] } });
    expect((await asUser(["down"])).exitCode).toBe(0);
  }, 600_000);
});
