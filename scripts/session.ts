import { Command } from "commander";
import { askLab } from "../lab/hand/askLab.ts";
import type { LabPlace } from "../lab/hand/place.ts";
import { quoted } from "../lab/machine/quoted.ts";
import { labNameOption, type LabNameOption } from "./labName.ts";

/** `fwlab ssh`: a command on a machine, or a login there. */
export function sshCommand(): Command {
  return new Command("ssh")
    .description("run a command on a machine of a lab that stands, or log in there")
    .argument("<machine>")
    .argument("[command...]", "words that the machine's shell reads; after -- where one begins with a hyphen")
    .addOption(labNameOption())
    .addHelpText("after", "\nExit code: the command's; 255 when the connection breaks.\nExamples: npx fwlab ssh fw-1\n          npx fwlab ssh fw-2 -- ip -brief address")
    .action(async (machine: string, words: readonly string[], { lab }: LabNameOption) => {
      process.exitCode = await session(lab, machine, words.length === 0 ? undefined : words.join(" "));
    });
}

/** `fwlab logs`: a machine's journal. */
export function logsCommand(): Command {
  return new Command("logs")
    .description("print the journal of a machine of a lab that stands")
    .argument("<machine>")
    .option("-f, --follow", "go on until Ctrl-C", false)
    .option("-u, --unit <name>", "of one unit alone")
    .addOption(labNameOption())
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab logs fw-2 --unit keepalived")
    .action(async (machine: string, { lab, follow, unit }: LabNameOption & { follow: boolean; unit?: string }) => {
      const words = ["journalctl", "--boot", "--no-pager", "--output=short-precise", ...(follow ? ["--follow"] : []), ...(unit === undefined ? [] : [`--unit=${quoted(unit)}`])];
      process.exitCode = await session(lab, machine, words.join(" "), { asks: false });
    });
}

/** `fwlab conntrack`: a machine's connections. */
export function conntrackCommand(): Command {
  return new Command("conntrack")
    .description("print the kernel's connections of a machine of a lab that stands, and what conntrackd keeps of the other's")
    .argument("<machine>")
    .option("--external", "what conntrackd keeps of the other node's instead", false)
    .addOption(labNameOption())
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab conntrack fw-2 --external")
    .action(async (machine: string, { lab, external }: LabNameOption & { external: boolean }) => {
      process.exitCode = await session(lab, machine, external ? "conntrackd -e" : "conntrack -L -o extended", { asks: false });
    });
}

/** Joins this process's terminal, or its pipes, to a command on a machine. Gives its exit code. @param options.asks whether the command reads what is typed. @throws Failure as the lab's. */
async function session(place: LabPlace, machine: string, command: string | undefined, { asks = true } = {}): Promise<number> {
  const { stdin, stdout, stderr } = process;
  // A terminal that nobody sees has no size: it gets a usual one.
  const size = () => ({ columns: stdout.columns > 0 ? stdout.columns : 80, rows: stdout.rows > 0 ? stdout.rows : 24 });
  const atTerminal = asks && stdin.isTTY && stdout.isTTY;
  const asked = await askLab(
    place,
    { verb: "session", machine, command: command ?? null, terminal: atTerminal ? { type: process.env["TERM"] ?? "dumb", ...size() } : null },
    { onOut: (chunk) => stdout.write(chunk), onErr: (chunk) => stderr.write(chunk) },
  );
  const onSize = (): void => asked.say(size());
  if (atTerminal) {
    stdin.setRawMode(true);
    stdout.on("resize", onSize);
  }
  if (asks) {
    stdin.on("data", (chunk: Buffer) => asked.say({ in: chunk.toString("base64") }));
    stdin.once("end", () => asked.say({ inEnd: true }));
  } else {
    asked.say({ inEnd: true });
  }
  try {
    return await asked.ended;
  } finally {
    if (atTerminal) {
      stdin.setRawMode(false);
      stdout.off("resize", onSize);
    }
    stdin.pause();
  }
}
