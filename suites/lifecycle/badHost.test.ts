import { chmod, cp, mkdir, mkdtemp, open, readdir, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { cacheFolder } from "../../lab/host/cacheFolder.ts";
import { imagesFolder } from "../../lab/image/image.ts";
import { readRecipe } from "../../lab/image/recipe.ts";
import { temporaryFolder } from "./folders.ts";
import { inWorseHost, refusalOf } from "./refusal.ts";
import { Traces } from "./traces.ts";

const qemu = "qemu-system-x86_64";
const path = process.env["PATH"] ?? "";
const folder = temporaryFolder();
/** Folder for programs that stand before or instead of the host's. */
let programs: string;
/** A cache of the test's own, empty. */
let cache: string;
beforeEach(async () => {
  programs = await mkdtemp(join(folder(), "programs-"));
  cache = await mkdtemp(join(folder(), "cache-"));
  await mkdir(join(folder(), "temporary"), { recursive: true });
});

function begin(cacheOfCommand: string): Traces {
  return Traces.begin({ cache: cacheOfCommand, temporary: join(folder(), "temporary") });
}

async function standIn(program: string, script: string): Promise<void> {
  await writeFile(join(programs, program), `#!/bin/sh\n${script}\n`);
  await chmod(join(programs, program), 0o755);
}

/** Fills `programs` with all programs of PATH but some. */
async function allBut(...absent: readonly string[]): Promise<void> {
  const have = new Set(absent);
  for (const place of path.split(delimiter).filter((part) => part.startsWith("/"))) {
    for (const name of await readdir(place).catch((): string[] => [])) {
      if (!have.has(name)) {
        have.add(name);
        await symlink(join(place, name), join(programs, name));
      }
    }
  }
}

const refused = { exitCode: 2, leftovers: [] };

describe("a host that lacks a part gets one clear line, exit code 2, and nothing is left", () => {
  test("no /dev/net/tun", async () => {
    const refusal = await refusalOf(inWorseHost('mount -t tmpfs none /dev/net; exec "$@"'), { traces: begin(cacheFolder()) });
    expect(refusal).toMatchObject({ ...refused, details: [] });
    expect(refusal.line).toMatch(/^fwlab: .*\/dev\/net\/tun: .*ENOENT.*modprobe tun/u);
  });

  test("QEMU too old", async () => {
    await standIn(qemu, "echo 'QEMU emulator version 5.2.0 (Debian 1:5.2+dfsg-11+deb11u3)'");
    const refusal = await refusalOf(["npm", "start"], { traces: begin(cacheFolder()), env: { PATH: `${programs}:${path}` } });
    expect(refusal).toMatchObject({ ...refused, details: [] });
    expect(refusal.line).toMatch(/^fwlab: .*QEMU: version 5\.2\.0 is too old\. Install QEMU 7\.0 or newer/u);
  });

  test("no QEMU, and no apt-get to install it by", async () => {
    await allBut(qemu, "apt-get");
    const refusal = await refusalOf(["npm", "start"], { traces: begin(cacheFolder()), env: { PATH: programs } });
    expect(refusal).toMatchObject({ ...refused, details: [] });
    expect(refusal.line).toMatch(/^fwlab: this host lacks programs that Debian's packages qemu-system-x86 hold, and has no apt-get/u);
  });

  test("no QEMU, and no network to install it over: apt-get's last lines follow, soon", async () => {
    await allBut(qemu);
    // A host on which QEMU was never installed, for apt-get too; the real one's package lists stay as they are.
    const bare = "for place in /var/lib/apt/lists /var/cache/apt /var/lib/dpkg; do mount -t tmpfs none $place; done; mkdir /var/lib/dpkg/updates; : >/var/lib/dpkg/status";
    const refusal = await refusalOf(inWorseHost(`${bare}; exec "$@"`), { traces: begin(cacheFolder()), env: { PATH: programs }, patienceMs: 120_000 });
    expect(refusal).toMatchObject(refused);
    expect(refusal.line).toMatch(/^fwlab: host programs: apt-get .*: ended with exit code 100 after .* s\. Its last lines:$/u);
    expect(refusal.details.every((line) => line.startsWith("  "))).toBe(true);
    expect(refusal.tookMs).toBeLessThan(60_000);
  });
});

describe("a guest image that cannot be had gets one clear line, exit code 2, and nothing is left", () => {
  test("no network while building", async () => {
    const refusal = await refusalOf(["npm", "start"], { traces: begin(cache), patienceMs: 120_000 });
    expect(refusal).toMatchObject(refused);
    expect(refusal.line).toMatch(/^fwlab: build the guest image: no network: \S+ cannot be reached\. .*FWLAB_MIRROR/u);
    expect(refusal.details.every((line) => line.startsWith("  "))).toBe(true);
  });

  test("disk full while storing: a half-built image is never used", async () => {
    // Stands in for the half minute of building: what counts here is what happens to its parts.
    await standIn(
      "mmdebstrap",
      `head -c 20000000 /dev/urandom >"$FWLAB_PARTS/kernel"
cp "$FWLAB_PARTS/kernel" "$FWLAB_PARTS/initrd"
for argument; do case $argument in */root.tar) tar -C "$FWLAB_PARTS" -cf "$argument" kernel;; esac; done`,
    );
    const fullDisk = `mount -t tmpfs -o size=30m none ${cache}; code=0; "$@" || code=$?; ls -A ${cache}/images | sed 's/^/in images: /'; exit $code`;
    const refusal = await refusalOf(inWorseHost(fullDisk), { traces: begin(cache), env: { PATH: `${programs}:${path}` } });
    expect(refusal).toMatchObject(refused);
    expect(refusal.line).toMatch(/^fwlab: build the guest image: no space left in the cache folder .*\. Free some space/u);
    expect(refusal.stdout).not.toContain("in images:");
  });

  test("an image damaged by hand is found out by its hash, and never booted", async () => {
    const { id } = await readRecipe();
    await cp(join(imagesFolder(cacheFolder()), id), join(imagesFolder(cache), id), { recursive: true });
    await cp(join(cacheFolder(), "keys"), join(cache, "keys"), { recursive: true });
    await flipByte(join(imagesFolder(cache), id, "root.squashfs"));
    const refusal = await refusalOf(["npm", "start"], { traces: begin(cache), patienceMs: 120_000 });
    expect(refusal).toMatchObject(refused);
    expect(refusal.stdout).toMatch(new RegExp(`^guest image ${id} in the cache is damaged \\(root\\.squashfs has SHA-256 .*\\); building it again$`, "mu"));
    expect(refusal.line).toMatch(/^fwlab: build the guest image: no network: /u);
    expect(await readdir(imagesFolder(cache))).toEqual([]);
  });
});

async function flipByte(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    const position = Math.floor((await file.stat()).size / 2);
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position);
    buffer.writeUInt8(buffer.readUInt8(0) ^ 0xff, 0);
    await file.write(buffer, 0, 1, position);
  } finally {
    await file.close();
  }
}
