import { createHash } from "node:crypto";
import { cpus } from "node:os";
import { configHash, machineTree } from "../machine/configTree.ts";
import { laying } from "../machine/layTree.ts";
import { idleFiles, packedFiles } from "../machine/machineFiles.ts";
import { qemuArguments } from "../machine/qemuArguments.ts";
import type { SnapshotParts } from "../snapshot/parts.ts";
import { labsOwnFiles, type LabOptions } from "./labOptions.ts";
import { isSandwich } from "../topology/sandwich.ts";
import type { Prepared } from "./prepare.ts";

/** What the idle machines of a lab depend on. Paths of files are no part of it: their contents are. */
export async function idleParts(options: LabOptions, { image, qemuVersion }: Prepared): Promise<SnapshotParts> {
  const { topology, accelerator } = options;
  const files = createHash("sha256");
  const boot = { kernel: "kernel", initrd: "initrd", root: "root" };
  const allArguments: string[] = [];
  for (const spec of topology.machines) {
    files.update(await packedFiles([...idleFiles(), ...labsOwnFiles(options, spec)]));
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

/** What the same machines depend on once the lab's config trees are laid on them: the trees, and how they are laid. */
export async function laidParts(options: LabOptions, prepared: Prepared): Promise<SnapshotParts> {
  const { topology, trees } = options;
  const idle = await idleParts(options, prepared);
  const scripts: string[] = [];
  for (const spec of topology.machines) {
    const { unpack, read, start } = await laying(await machineTree(trees, spec.name), labsOwnFiles(options, spec));
    scripts.push(unpack, read, start);
  }
  // A sandwich has come to rest when it is saved.
  if (isSandwich(topology)) scripts.push("at rest");
  const sha256 = await configHash(
    trees,
    topology.machines.map(({ name }) => name),
  );
  return { ...idle, files: shortHash([idle.files, ...scripts].join("\0")), tree: sha256.slice(0, 12) };
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
