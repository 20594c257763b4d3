import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { absent } from "../image/manifest.ts";
import { withLock, type LockOptions } from "../host/lock.ts";
import type { Progress } from "../progress/progress.ts";
import { byLastUse, readEntry, type SnapshotEntry } from "./entry.ts";
import { tellingFullDisk } from "./fullDisk.ts";
import { inspectSnapshot, type SnapshotState } from "./inspect.ts";
import { manifestFile, sealSnapshot } from "./manifest.ts";
import { snapshotKey, type SnapshotParts } from "./parts.ts";

const unfinished = ".unfinished-";
const keyPattern = /^[0-9a-f]{16}$/u;

/** An entry whose files were compared with its manifest. */
export interface CheckedEntry extends SnapshotEntry {
  readonly state: Exclude<SnapshotState, { state: "missing" }>;
}

export interface StoreOptions {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Folder of the snapshots, one folder each. */
export function snapshotsFolder(cache: string): string {
  return join(cache, "snapshots");
}

/**
 * The snapshots of a cache: folders of files, each with a manifest, made one at a time, whole or not at all. Several processes may use
 * it at once. What is found may be removed by another the next moment; files that are open by then live on.
 */
export class SnapshotStore {
  readonly #folder: string;
  readonly #limitBytes: number;

  /** `folder` as `snapshotsFolder` names it, made when it is needed; `limitBytes` of disk for all together (`snapshotLimitBytes`). */
  constructor({ folder, limitBytes }: { folder: string; limitBytes: number }) {
    this.#folder = folder;
    this.#limitBytes = limitBytes;
  }

  /**
   * Looks a snapshot up and compares it with its manifest; one that is whole counts as used now.
   * @throws Failure (usage) when the disk is full; when the signal aborts, AbortError with its reason as cause.
   */
  async find(key: string, signal?: AbortSignal): Promise<SnapshotState> {
    return await tellingFullDisk({ tried: `look up snapshot ${key}`, folder: this.#folder }, async () => {
      const found = await inspectSnapshot(this.#path(key), key, signal);
      if (found.state !== "whole") {
        return found;
      }
      const now = new Date();
      const touched = await utimes(join(found.folder, manifestFile), now, now).then(() => true, absent);
      return touched === true ? found : { state: "missing" };
    });
  }

  /**
   * Keeps what `fill` writes as the snapshot of `parts`, then lets older ones go. `fill` gets a new folder, puts plain files into it and
   * nothing else, and leaves nobody who writes to them. Of two processes at once, one fills and the other waits for it and gets the
   * same. A snapshot that is damaged is replaced. Gives the snapshot's folder.
   * @throws Failure (usage) when the disk is full; what `fill` throws; when the signal aborts, its reason or AbortError with that as
   * cause. Nothing unfinished is left.
   */
  async store(parts: SnapshotParts, fill: (folder: string) => Promise<void>, { progress, signal }: StoreOptions): Promise<string> {
    const key = snapshotKey(parts);
    using waiting = progress.step("another fwlab to finish its snapshot");
    let hadToWait = false;
    const onWait = () => {
      hadToWait = true;
      progress.note("another fwlab makes a snapshot; waiting for it");
    };
    return await this.#locked({ signal, onWait }, async () => {
      waiting.done(hadToWait ? "free" : "nobody else makes one");
      const now = await this.find(key, signal);
      if (now.state === "whole") {
        return now.folder;
      }
      if (now.state === "damaged") {
        progress.note(`snapshot ${key} is damaged (${now.why}); making it again`);
        await this.discard(key);
      }
      await tellingFullDisk({ tried: `store snapshot ${key}`, folder: this.#folder }, () => this.#make(key, parts, fill, { progress, signal }));
      await this.#evict(key);
      return this.#path(key);
    });
  }

  /** Removes a snapshot that cannot be restored; one that is gone already is none the worse. Machines that run from it are not disturbed. */
  async discard(key: string): Promise<void> {
    // Moved away first, so that nobody meets half of it.
    const leftover = join(this.#folder, `${unfinished}${randomUUID()}`);
    const moved = await rename(this.#path(key), leftover).then(() => true, absent);
    if (moved === true) {
      await rm(leftover, { recursive: true, force: true });
    }
  }

  /** All snapshots, each compared with its manifest, the most recently used first. That counts as no use. */
  async list(signal?: AbortSignal): Promise<readonly CheckedEntry[]> {
    const checked: CheckedEntry[] = [];
    for (const entry of (await this.#entries()).reverse()) {
      const state = await inspectSnapshot(this.#path(entry.key), entry.key, signal);
      if (state.state !== "missing") {
        checked.push({ ...entry, state });
      }
    }
    return checked;
  }

  /**
   * Removes the least recently used snapshots until all together take at most the limit; never `keep`. Gives what was removed. Waits for
   * another fwlab that makes one.
   */
  async evict(keep?: string, waiting?: Partial<LockOptions>): Promise<readonly SnapshotEntry[]> {
    return await this.#locked(waiting, () => this.#evict(keep));
  }

  /** Removes all snapshots, and gives what was removed. Waits for another fwlab that makes one. */
  async clear(waiting?: Partial<LockOptions>): Promise<readonly SnapshotEntry[]> {
    return await this.#locked(waiting, async () => {
      const entries = await this.#entries();
      await Promise.all(entries.map(({ key }) => this.discard(key)));
      return entries;
    });
  }

  async #make(key: string, parts: SnapshotParts, fill: (folder: string) => Promise<void>, { progress, signal }: StoreOptions): Promise<void> {
    const folder = join(this.#folder, `${unfinished}${randomUUID()}`);
    try {
      // For the user alone: the machines' memory holds their keys.
      await mkdir(folder, { mode: 0o700 });
      await fill(folder);
      signal.throwIfAborted();
      using sealing = progress.step(`hash the files of snapshot ${key}`);
      await sealSnapshot(folder, parts, signal);
      sealing.done();
      await rename(folder, this.#path(key));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Holds the lock of the store, under which whatever is unfinished is dead: it is removed first. */
  async #locked<T>({ signal = new AbortController().signal, onWait = () => undefined }: Partial<LockOptions> = {}, action: () => Promise<T>): Promise<T> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    return await withLock(`${this.#folder}.lock`, { signal, onWait }, async () => {
      const leftovers = (await readdir(this.#folder)).filter((name) => name.startsWith(unfinished));
      await Promise.all(leftovers.map((name) => rm(join(this.#folder, name), { recursive: true, force: true })));
      return await action();
    });
  }

  async #evict(keep?: string): Promise<readonly SnapshotEntry[]> {
    const entries = await this.#entries();
    let total = entries.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
    const removed: SnapshotEntry[] = [];
    for (const entry of entries.filter(({ key }) => key !== keep)) {
      if (total <= this.#limitBytes) {
        break;
      }
      await this.discard(entry.key);
      total -= entry.diskBytes;
      removed.push(entry);
    }
    return removed;
  }

  /** The least recently used first. */
  async #entries(): Promise<SnapshotEntry[]> {
    const names = ((await readdir(this.#folder).catch(absent)) ?? []).filter((name) => keyPattern.test(name));
    const entries = await Promise.all(names.map((name) => readEntry(join(this.#folder, name), name)));
    return entries.filter((entry) => entry !== undefined).sort(byLastUse);
  }

  #path(key: string): string {
    if (!keyPattern.test(key)) {
      throw new RangeError(`${JSON.stringify(key)} is no snapshot's key`);
    }
    return join(this.#folder, key);
  }
}
