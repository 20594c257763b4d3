import { createHash } from "node:crypto";
import { z } from "zod";

const part = z.string().min(1);

/** The parts as manifest.json has them. */
export const partsSchema = z.strictObject({
  image: part,
  qemu: part,
  accelerator: part,
  processor: part,
  topology: part,
  arguments: part,
  files: part,
  tree: part,
});

/** What a snapshot depends on: with any other value, it is another snapshot. Values are short names or hashes. */
export interface SnapshotParts {
  /** Hash of the guest image's recipe. */
  readonly image: string;
  /** QEMU's version. */
  readonly qemu: string;
  /** `kvm` or `tcg`. */
  readonly accelerator: string;
  /** The host's processor, as far as the guests see it. */
  readonly processor: string;
  readonly topology: string;
  /** Hash of QEMU's arguments, of all machines. */
  readonly arguments: string;
  /** Hash of the files that are laid over the guests' roots. */
  readonly files: string;
  /** Hash of the config trees that were laid on the machines; `none` for idle machines. */
  readonly tree: string;
}

/**
 * The name of a snapshot: 16 hexadecimal characters of the SHA-256 of its parts, in whatever order they are given.
 * @throws ZodError when a part is missing, empty or unknown.
 */
export function snapshotKey(parts: SnapshotParts): string {
  const sorted = Object.entries(partsSchema.parse(parts)).sort(([one], [other]) => (one < other ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 16);
}
