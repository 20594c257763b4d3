import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import Table from "cli-table3";
import { Command, Option } from "commander";
import { exitCode } from "../lab/failure/failure.ts";
import { cacheFolder } from "../lab/host/cacheFolder.ts";
import { imagesFolder } from "../lab/image/image.ts";
import { absent, inspectImage } from "../lab/image/manifest.ts";
import { recipes } from "../lab/image/recipe.ts";
import { borderless, linesOf } from "../lab/report/borderless.ts";
import type { SnapshotEntry } from "../lab/snapshot/entry.ts";
import { snapshotLimitBytes } from "../lab/snapshot/limit.ts";
import { snapshotsFolder, SnapshotStore } from "../lab/snapshot/store.ts";

const kinds = ["images", "snapshots", "answers", "toolbox"] as const;
type Kind = (typeof kinds)[number];

/** `fwlab cache`: what is kept between runs, and its removal. */
export function cacheCommand(): Command {
  return new Command("cache")
    .description("list the guest images, snapshots, checkers' answers and toolbox bases that are kept, or remove them")
    .addOption(
      new Option(
        "--clear [kind]",
        "remove the images of other recipes (no lab may run with them) and all of the rest (labs that were restored from snapshots run on); of one kind only when it is named",
      ).choices(kinds),
    )
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab cache --clear snapshots")
    .action(async ({ clear }: { clear?: true | Kind }) => {
      const limitBytes = snapshotLimitBytes();
      const cache = cacheFolder();
      console.log(`cache: ${cache}`);
      await listImages(cache, clear === true || clear === "images");
      await listSnapshots(new SnapshotStore({ folder: snapshotsFolder(cache), limitBytes }), limitBytes, clear === true || clear === "snapshots");
      for (const kind of ["answers", "toolbox"] as const) await listFiles(cache, kind, clear === true || clear === kind);
      process.exitCode = exitCode.pass;
    });
}

async function listImages(cache: string, clear: boolean): Promise<void> {
  const images = imagesFolder(cache);
  const current = await Promise.all(Object.values(recipes).map(async (read) => (await read()).id));
  const ids = (await readdir(images).catch(absent)) ?? [];
  const rows: string[][] = [];
  for (const id of ids.filter((name) => !name.startsWith("."))) {
    const folder = join(images, id);
    const image = await inspectImage(folder, id);
    const remove = clear && !current.includes(id);
    if (remove) {
      await rm(folder, { recursive: true, force: true });
    }
    const { kernelRelease, builtAt } = image.state === "whole" ? image.manifest : { kernelRelease: "-", builtAt: undefined };
    const state = image.state === "damaged" ? `damaged: ${image.why}` : image.state;
    const remarks = [state, ...(current.includes(id) ? ["today's recipe"] : []), ...(remove ? ["removed"] : [])];
    rows.push(["image", id, `kernel ${kernelRelease}`, `built ${inSeconds(builtAt)}`, remarks.join(", ")]);
  }
  print(rows);
}

async function listSnapshots(store: SnapshotStore, limitBytes: number, clear: boolean): Promise<void> {
  const onWait = () => console.error("fwlab: another fwlab makes a snapshot; waiting for it");
  const removed = clear ? await store.clear({ onWait }) : [];
  const kept = clear ? [] : await store.list();
  print([
    ...removed.map((entry) => snapshotRow(entry, "removed")),
    ...kept.map((entry) => snapshotRow(entry, entry.state.state === "damaged" ? `damaged: ${entry.state.why}` : entry.state.state)),
  ]);
  const bytes = kept.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  console.log(`snapshots take ${inUnits(bytes)} of at most ${inUnits(limitBytes)} (FWLAB_SNAPSHOT_LIMIT)`);
}

/** What is made anew in seconds or minutes, and has nothing to tell but how much of it there is. */
async function listFiles(cache: string, kind: "answers" | "toolbox", clear: boolean): Promise<void> {
  const folder = join(cache, kind);
  const names = (await readdir(folder).catch(absent)) ?? [];
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  if (clear) await rm(folder, { recursive: true, force: true });
  const what = { answers: "machines' files that the guests' checkers have seen", toolbox: "bases of the toolbox" };
  console.log(`${kind}: ${names.length} ${what[kind]}, ${inUnits(sizes.reduce((sum, size) => sum + size, 0))}${clear && names.length > 0 ? ", removed" : ""}`);
}

function snapshotRow({ key, parts, diskBytes, madeAt, usedAt }: SnapshotEntry, state: string): string[] {
  const { topology, tree, accelerator, qemu } = parts ?? { topology: "-", tree: "-", accelerator: "-", qemu: "-" };
  return ["snapshot", key, topology, `tree ${tree}`, accelerator, `QEMU ${qemu}`, inUnits(diskBytes), `made ${inSeconds(madeAt)}`, `used ${inSeconds(usedAt)}`, state];
}

function print(rows: readonly string[][]): void {
  const table = new Table({ chars: borderless, style: { head: [], border: [], "padding-left": 0, "padding-right": 2 } });
  table.push(...rows);
  if (rows.length > 0) {
    console.log(linesOf(table).join("\n"));
  }
}

function inSeconds(time: Date | string | undefined): string {
  return time === undefined ? "-" : new Date(time).toISOString().replace(/\.\d+Z$/u, "Z");
}

function inUnits(bytes: number): string {
  if (bytes > 0 && bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return bytes < 1024 ** 3 ? `${(bytes / 1024 ** 2).toFixed(1)} MiB` : `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
