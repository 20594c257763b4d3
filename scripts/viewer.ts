import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { execa } from "execa";
import { exitCode, Failure } from "../lab/failure/failure.ts";
import { askOnce } from "../lab/hand/askLab.ts";
import { connectionFile } from "../lab/hand/connectionFile.ts";
import { graphicalConsoleSchema } from "../lab/hand/words.ts";
import { findProgram, installCommand } from "../lab/host/requirements.ts";
import { interruption } from "./interruption.ts";
import { labNameOption, type LabNameOption } from "./labName.ts";

/** `fwlab viewer`: the graphical console of a machine, in a window. */
export function viewerCommand(): Command {
  return new Command("viewer")
    .description("show the graphical console of a machine that was brought up with up --spice, with copy and paste and USB, in remote-viewer")
    .argument("<machine>")
    .addOption(labNameOption())
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab up --spice fw-1 && npx fwlab viewer fw-1")
    .action(async (machine: string, { lab: place }: LabNameOption) => {
      const found = graphicalConsoleSchema.parse(await askOnce(place, { verb: "viewer", machine }));
      const refuse = (seen: string, remedy: string): Failure => new Failure({ tried: `show the graphical console of ${machine}`, seen, remedy, exit: exitCode.usage });
      const viewer = findProgram("remote-viewer");
      if (viewer === undefined) throw refuse("no remote-viewer found", `Install: ${installCommand(["virt-viewer"])}`);
      if (!["DISPLAY", "WAYLAND_DISPLAY"].some((name) => process.env[name])) {
        throw refuse("there is no display here, neither DISPLAY nor WAYLAND_DISPLAY is set", `From where there is one, hand ${found.socket} through with ssh -L, as README says; the ticket is in ${found.ticketFile}`);
      }
      const file = join(place.folder, `${randomUUID()}.vv`);
      try {
        await writeFile(file, connectionFile(found, await readFile(found.ticketFile, "utf8"), `${machine} (${place.name})`), { mode: 0o600, flag: "wx" });
        const { exitCode: code, isCanceled } = await execa(viewer, [file], { stdio: "inherit", reject: false, cancelSignal: interruption() });
        process.exitCode = isCanceled ? exitCode.pass : (code ?? exitCode.invalid);
      } finally {
        await rm(file, { force: true });
      }
    });
}
