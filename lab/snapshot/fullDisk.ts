import { exitCode, Failure, messageOf } from "../failure/failure.ts";

/**
 * Runs `action`, which writes to `folder`.
 * @throws Failure (usage) when the disk is full; else what `action` throws.
 */
export async function tellingFullDisk<T>({ tried, folder }: { tried: string; folder: string }, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (!isFullDisk(cause)) {
      throw cause;
    }
    throw new Failure({
      tried,
      seen: `no space left in ${folder}: ${messageOf(cause)}`,
      remedy: "Free space there (`cache --clear snapshots` removes the snapshots), or name another cache folder with FWLAB_CACHE=FOLDER.",
      exit: exitCode.usage,
      cause,
    });
  }
}

/** QEMU and other programs tell it in the words of strerror(3), Node by the code. */
function isFullDisk(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) {
    return false;
  }
  const byCode = "code" in thrown && (thrown.code === "ENOSPC" || thrown.code === "EDQUOT");
  return byCode || /No space left on device|Disk quota exceeded/u.test(thrown.message) || isFullDisk(thrown.cause);
}
