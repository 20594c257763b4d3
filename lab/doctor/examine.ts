import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "../host/cacheFolder.ts";
import { inspectHost } from "../host/requirements.ts";
import { imagesFolder } from "../image/image.ts";
import { absent, inspectImage, type ImageState } from "../image/manifest.ts";
import { readRecipe } from "../image/recipe.ts";
import type { BootFiles } from "../machine/qemuArguments.ts";
import { snapshotLimitBytes } from "../snapshot/limit.ts";
import { snapshotsFolder, SnapshotStore } from "../snapshot/store.ts";
import { graphicalPart, lookAtGraphical } from "./graphical.ts";
import { kvmPart, tryKvm, virtualisation } from "./kvm.ts";
import { mendOfTun, namespaceParts, namespaceSettings, tryNamespaces } from "./namespaces.ts";
import { partOf, type HostPart } from "./part.ts";
import { findBrowser, programParts, programVersions } from "./programs.ts";
import { readResources, resourceParts } from "./resources.ts";

/** Looks at everything that a lab needs of its host, by trial where one tells more than a look. Installs nothing, and changes nothing but the empty cache folder. @throws the signal's reason. */
export async function examineHost(signal: AbortSignal): Promise<HostPart[]> {
  const isRoot = process.getuid?.() === 0;
  const cache = cacheFolder();
  const { id } = await readRecipe();
  const image = await inspectImage(join(imagesFolder(cache), id), id, signal);
  const snapshots = await new SnapshotStore({ folder: snapshotsFolder(cache), limitBytes: snapshotLimitBytes() }).list();
  const snapshotBytes = snapshots.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  const [{ absent: absentPrograms, missing }, versions, namespaces, settings, resources, graphical] = await Promise.all([
    inspectHost(signal),
    programVersions(signal),
    tryNamespaces(signal),
    namespaceSettings(),
    readResources(cache, snapshotLimitBytes(), snapshotBytes),
    lookAtGraphical(signal),
  ]);
  const kvm = kvmPart(await tryKvm(image.state === "whole" && absentPrograms.length === 0 ? bootFilesOf(join(imagesFolder(cache), id)) : undefined, signal), await virtualisation());
  return [
    partOf("Node", "nothing runs below 20.19", { state: "works", seen: process.versions.node }),
    ...programParts({ absent: absentPrograms, versions, browser: findBrowser() }),
    // What else a lab refuses to run without, in its own words.
    ...missing.filter(({ what }) => ["QEMU", "/dev/net/tun"].includes(what)).map(({ what, seen, remedy }) => partOf(what, "no lab runs", { state: "missing", seen, mend: what === "/dev/net/tun" ? mendOfTun(seen) : remedy })),
    kvm,
    ...namespaceParts(namespaces, settings, isRoot),
    graphicalPart(graphical),
    ...(isRoot ? [] : [await subordinateIds()]),
    ...resourceParts(resources),
    imagePart(image, id, snapshots.length, snapshotBytes),
  ];
}

function bootFilesOf(folder: string): BootFiles {
  return { kernel: join(folder, "kernel"), initrd: join(folder, "initrd"), root: join(folder, "root.squashfs") };
}

/** An ordinary user's guest image is unpacked by users that the kernel lends to him. Source: newuidmap(1), subuid(5). */
async function subordinateIds(): Promise<HostPart> {
  const { username, uid } = userInfo();
  const [users, groups] = await Promise.all(["/etc/subuid", "/etc/subgid"].map(async (file) => (await readFile(file, "utf8").catch(absent)) ?? ""));
  const has = (text = "") => text.split("\n").some((line) => line.startsWith(`${username}:`) || line.startsWith(`${uid}:`));
  const both = has(users) && has(groups);
  return partOf("subordinate ids", "an ordinary user cannot build the guest image", {
    state: both ? "works" : "missing",
    seen: both ? `${username} has some in /etc/subuid and /etc/subgid` : `${username} has none in /etc/subuid or /etc/subgid`,
    mend: `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}`,
  });
}

function imagePart(image: ImageState, id: string, snapshots: number, bytes: number): HostPart {
  const kept = `${snapshots} snapshots of ${(bytes / 1e9).toFixed(1)} GB`;
  return partOf("cache", "the first run builds the guest image, in about a minute, and boots machines that later ones restore", {
    state: image.state === "whole" ? "works" : "slower",
    seen: image.state === "whole" ? `guest image ${id}, whole; ${kept}` : image.state === "missing" ? `no guest image ${id} yet; ${kept}` : `guest image ${id} is damaged: ${image.why}`,
    mend: "npm start  # builds it",
  });
}
