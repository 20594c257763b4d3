import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureKeys } from "./keys.ts";

let cache: string;
let cacheBefore: string | undefined;
beforeEach(async () => {
  cacheBefore = process.env["FWLAB_CACHE"];
  cache = await mkdtemp(join(tmpdir(), "fwlab-keys-"));
  process.env["FWLAB_CACHE"] = cache;
});
afterEach(async () => {
  if (cacheBefore === undefined) {
    delete process.env["FWLAB_CACHE"];
  } else {
    process.env["FWLAB_CACHE"] = cacheBefore;
  }
  await rm(cache, { recursive: true });
});

test("keys are made once, for the user alone, and the public line belongs to the private key", async () => {
  const keys = await ensureKeys(["fw-1", "fw-2"]);
  expect(Object.keys(keys.hostKeys)).toEqual(["fw-1", "fw-2"]);
  expect(await ensureKeys(["fw-1", "fw-2"])).toEqual(keys);
  expect((await stat(join(cache, "keys"))).mode & 0o777).toBe(0o700);
  for (const name of await readdir(join(cache, "keys"))) {
    expect((await stat(join(cache, "keys", name))).mode & 0o777).toBe(0o600);
  }
  const parsed = ssh2.utils.parseKey(keys.clientPublicKeyLine);
  const own = ssh2.utils.parseKey(keys.clientPrivateKey);
  expect(parsed instanceof Error || own instanceof Error).toBe(false);
  expect(keys.clientPublicKeyLine).toMatch(/^ssh-ed25519 [\w+/=]+ fwlab-client$/u);
  expect(new Set([keys.clientPrivateKey, ...Object.values(keys.hostKeys).map(({ privateKey }) => privateKey)]).size).toBe(3);
});

test("a machine that comes later gets its key, and the others keep theirs", async () => {
  const before = await ensureKeys(["fw-1"]);
  const after = await ensureKeys(["fw-1", "omarine"]);
  expect(after.hostKeys["fw-1"]).toEqual(before.hostKeys["fw-1"]);
  expect(after.hostKeys["omarine"]?.publicKeyLine).toMatch(/fwlab-host-omarine$/u);
});

test("a key that others may read, and one that is damaged, are made anew", async () => {
  const before = await ensureKeys(["fw-1"]);
  await chmod(join(cache, "keys", "client"), 0o644);
  const file = join(cache, "keys", "host-fw-1");
  await writeFile(file, (await readFile(file, "utf8")).replace(/[A-Z]/gu, "A"));
  const after = await ensureKeys(["fw-1"]);
  expect(after.clientPrivateKey).not.toBe(before.clientPrivateKey);
  expect(after.hostKeys["fw-1"]?.publicKeyLine).not.toBe(before.hostKeys["fw-1"]?.publicKeyLine);
  expect((await stat(join(cache, "keys", "client"))).mode & 0o777).toBe(0o600);
});

test("those who ask at once get the same keys", async () => {
  const all = await Promise.all(Array.from({ length: 4 }, () => ensureKeys(["fw-1"])));
  expect(new Set(all.map((keys) => JSON.stringify(keys))).size).toBe(1);
});
