import { createHash } from "node:crypto";
import { cpus } from "node:os";
import { idleFiles, labFiles, packedFiles } from "../machine/machineFiles.ts";
import { qemuArguments } from "../machine/qemuArguments.ts";
import type { SnapshotParts } from "../snapshot/parts.ts";
import type { LabOptions } from "./lab.ts";
import type { Prepared } from "./prepare.ts";

/** What the idle machines of a lab depend on. Paths of files are no part of it: their contents are. */
export async function idleParts({ topology, keys, accelerator, extraFiles }: LabOptions, { image, qemuVersion }: Prepared): Promise<SnapshotParts> {
  const files = createHash("sha256");
  const boot = { kernel: "kernel", initrd: "initrd", root: "root" };
  const allArguments: string[] = [];
  for (const spec of topology.machines) {
    const hostKey = keys.hostKeys[spec.name];
    const machineKeys = { hostPrivateKey: hostKey?.privateKey ?? "", hostPublicKeyLine: hostKey?.publicKeyLine ?? "", clientPublicKeyLine: keys.clientPublicKeyLine };
    files.update(await packedFiles([...idleFiles(), ...labFiles(spec, machineKeys), ...extraFiles(spec)]));
    allArguments.push(...qemuArguments({ spec, accelerator, boot, machineFiles: "files", console: "console", memory: { path: "memory", writes: "private" } }));
  }
  return {
    image: image.id,
    qemu: qemuVersion,
    accelerator,
    // A saved machine goes on with the processor that it found, and with its clock rate.
    processor: cpus()[0]?.model ?? "unknown",
    topology: `${topology.name} ${shortHash(JSON.stringify(topology))}`,
    arguments: shortHash(allArguments.join("\0")),
    files: files.digest("hex").slice(0, 16),
    tree: "none",
  };
}

/** The same machines with config trees laid on them. @param sha256 of the trees, as configHash tells it. */
export function withTree(idle: SnapshotParts, sha256: string): SnapshotParts {
  return { ...idle, tree: sha256.slice(0, 12) };
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
