import { chmod, lstat, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import ssh2 from "ssh2";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { cacheFolder } from "../host/cacheFolder.ts";
import { withLock } from "../host/lock.ts";

/** An ed25519 key. */
export interface KeyPair {
  /** In OpenSSH's own format, as sshd reads it from a file. Never to be printed. */
  readonly privateKey: string;
  /** One line as in `authorized_keys`, without a newline. */
  readonly publicKeyLine: string;
}

/** The keys of this cache's labs. */
export interface LabKeys {
  readonly clientPrivateKey: string;
  readonly clientPublicKeyLine: string;
  /** By machine. */
  readonly hostKeys: Readonly<Record<string, KeyPair>>;
}

/** The private key by which the lab logs in, for whoever looks at a running lab by hand. */
export function clientKeyFile(): string {
  return join(cacheFolder(), "keys", "client");
}

/**
 * The key by which the lab logs in, and one host key for each machine: made once for a cache, kept in files that only the user may read.
 * A key that others may read, or that is damaged, is made anew. Several processes may ask at once; all get the same keys.
 * @throws Failure (usage) when the cache cannot be written; the signal's reason when it aborts.
 */
export async function ensureKeys(machineNames: readonly string[], signal: AbortSignal = new AbortController().signal): Promise<LabKeys> {
  const cache = cacheFolder();
  const folder = join(cache, "keys");
  const names = ["client", ...machineNames.map((name) => `host-${name}`)];
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    const kept = await Promise.all(names.map((name) => readKey(folder, name)));
    const keys = kept.every((key) => key !== undefined)
      ? kept
      : await withLock(join(cache, "keys.lock"), { signal, onWait: () => undefined }, () => Promise.all(names.map((name) => ensureKey(folder, name))));
    const [client, ...hosts] = keys;
    if (client === undefined) {
      throw new RangeError("no client key");
    }
    return {
      clientPrivateKey: client.privateKey,
      clientPublicKeyLine: client.publicKeyLine,
      hostKeys: Object.fromEntries(machineNames.flatMap((name, index) => (hosts[index] === undefined ? [] : [[name, hosts[index]]]))),
    };
  } catch (cause) {
    signal.throwIfAborted();
    throw new Failure({
      tried: `make the lab's SSH keys in ${folder}`,
      seen: messageOf(cause),
      remedy: "Make the cache folder writable, or name another with FWLAB_CACHE=FOLDER.",
      exit: exitCode.usage,
      cause,
    });
  }
}

/** Keeps or makes a key. The caller holds the lock. */
async function ensureKey(folder: string, name: string): Promise<KeyPair> {
  const kept = await readKey(folder, name);
  if (kept !== undefined) {
    return kept;
  }
  const draft = join(folder, `.${name}.new`);
  await rm(draft, { force: true });
  await writeFile(draft, makeKey(name), { mode: 0o600, flag: "wx" });
  await rename(draft, join(folder, name));
  const made = await readKey(folder, name);
  if (made === undefined) {
    throw new Error(`the key ${name} was written, but cannot be read back: the file system may not keep permissions`);
  }
  return made;
}

/** The key called `name`, or undefined when there is none, it is no key, or others may read it. */
async function readKey(folder: string, name: string): Promise<KeyPair | undefined> {
  const path = join(folder, name);
  const status = await lstat(path).catch(unless("ENOENT"));
  if (status === undefined || !status.isFile() || (status.mode & 0o077) !== 0 || status.uid !== process.getuid?.()) {
    return undefined;
  }
  const privateKey = await readFile(path, "utf8").catch(unless("ENOENT"));
  const publicKeyLine = privateKey === undefined ? undefined : publicLineOf(privateKey, name);
  return privateKey === undefined || publicKeyLine === undefined ? undefined : { privateKey, publicKeyLine };
}

function publicLineOf(privateKey: string, name: string): string | undefined {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error || !parsed.isPrivateKey() || parsed.type !== "ssh-ed25519") {
    return undefined;
  }
  const probe = Buffer.from("fwlab");
  const signature = parsed.sign(probe);
  if (!Buffer.isBuffer(signature) || !parsed.verify(probe, signature)) {
    return undefined;
  }
  return `${parsed.type} ${parsed.getPublicSSH().toString("base64")} fwlab-${name}`;
}

/** A new private key. ssh2 writes some ed25519 keys that it cannot read itself, so each is read back before it is used. */
function makeKey(name: string): string {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const { private: privateKey } = ssh2.utils.generateKeyPairSync("ed25519", { comment: `fwlab-${name}` });
    if (publicLineOf(privateKey, name) !== undefined) {
      return privateKey.endsWith("\n") ? privateKey : `${privateKey}\n`;
    }
  }
  throw new Error("twenty ed25519 keys were made, and none can be read back");
}

/** For `catch`: an error with this code is an answer, any other is thrown on. */
function unless(code: string): (thrown: unknown) => undefined {
  return (thrown) => {
    if (thrown instanceof Error && "code" in thrown && thrown.code === code) {
      return undefined;
    }
    throw thrown;
  };
}
