import { once } from "node:events";
import { Argument, Command } from "commander";
import { exitCode, Failure } from "../lab/failure/failure.ts";
import { askLab, askOnce } from "../lab/hand/askLab.ts";
import { handFaults, type HandFault, type LabRequest } from "../lab/hand/words.ts";
import { interruption } from "./interruption.ts";
import { labNameOption, type LabNameOption } from "./labName.ts";

/** A verb that asks one thing of a standing lab, and tells what comes of it in a line. */
function asking(name: string, description: string, example: string): Command {
  return new Command(name).description(description).addOption(labNameOption()).allowExcessArguments(false).addHelpText("after", `\nExample: npx fwlab ${example}`);
}

async function ask({ lab }: LabNameOption, request: LabRequest): Promise<void> {
  await askOnce(lab, request, { onNote: (line) => process.stdout.write(`${line}\n`) });
  process.exitCode = exitCode.pass;
}

/** `fwlab fault`, `heal`, `snapshot`, `restore`: what changes a standing lab. */
export function faultCommand(): Command {
  return asking("fault", "break something in a lab that stands, until it is healed", "fault power-cut fw-1")
    .addArgument(new Argument("<id>", "what happens").choices(Object.keys(handFaults)))
    .argument("<target>", Object.entries(handFaults).map(([id, target]) => `of ${id}: ${target}`).join("; "))
    .action((id: HandFault, target: string, options: LabNameOption) => ask(options, { verb: "fault", id, target }));
}

export function healCommand(): Command {
  return asking("heal", "mend what was broken by hand: one target, or all; a machine without power boots", "heal fw-1")
    .argument("[target]")
    .action((target: string | undefined, options: LabNameOption) => ask(options, { verb: "heal", target: target ?? null }));
}

export function snapshotCommand(): Command {
  return asking("snapshot", "save a lab that stands, with its flows, under a name; it goes on", "snapshot before-the-change")
    .argument("<name>")
    .action((name: string, options: LabNameOption) => ask(options, { verb: "snapshot", name }));
}

export function restoreCommand(): Command {
  return asking("restore", "take a lab back to what was saved under a name", "restore before-the-change")
    .argument("<name>")
    .action((name: string, options: LabNameOption) => ask(options, { verb: "restore", name }));
}

/** `fwlab capture`: frames at a bridge or a tap, for Wireshark. */
export function captureCommand(): Command {
  return asking("capture", "print the frames at a bridge or a tap of a lab that stands, in pcapng, for a pipe or a file, until Ctrl-C", "capture br0 | wireshark -k -i -")
    .argument("<point>", "a bridge, or a tap as MACHINE.NIC")
    .option("-f, --filter <expression>", "what is let through, as pcap-filter(7) writes it")
    .action(async (point: string, { lab, filter }: LabNameOption & { filter?: string }) => {
      const { stdout } = process;
      if (stdout.isTTY) throw new Failure({ tried: "print frames", seen: "standard output is a terminal, and they are no text", remedy: `Pipe them: fwlab capture ${point} | wireshark -k -i -, or into a file`, exit: exitCode.usage });
      const { ended, hangUp } = await askLab(lab, { verb: "capture", point, filter: filter ?? null }, { onOut: (chunk) => stdout.write(chunk) });
      // Whoever reads the pipe has enough.
      stdout.on("error", hangUp);
      interruption().addEventListener("abort", hangUp, { once: true });
      process.exitCode = await ended;
      if (stdout.writableNeedDrain) await once(stdout, "drain");
    });
}
