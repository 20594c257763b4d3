import { Command } from "commander";
import { askLab, type Asked } from "../lab/hand/askLab.ts";
import { untilEscape } from "../lab/hand/escapeKey.ts";
import { interruption } from "./interruption.ts";
import { labNameOption, type LabNameOption } from "./labName.ts";

interface ConsoleOptions extends LabNameOption {
  readonly follow: boolean;
  readonly keys: boolean;
}

/** `fwlab console`: a machine's serial console. */
export function consoleCommand(): Command {
  return new Command("console")
    .description("sit at the serial console of a machine of a lab that stands, whatever became of its network: on a terminal it takes keys, until Ctrl-]; elsewhere it is followed until Ctrl-C")
    .argument("<machine>")
    .option("--no-keys", "follow it, on a terminal too")
    .option("--no-follow", "end with what was said so far")
    .addOption(labNameOption())
    .allowExcessArguments(false)
    .addHelpText("after", "\nExamples: npx fwlab console fw-1\n          npx fwlab console fw-1 --no-follow")
    .action(async (machine: string, { lab, follow, keys: wanted }: ConsoleOptions) => {
      const { stdin, stdout, stderr } = process;
      const keys = wanted && follow && stdin.isTTY && stdout.isTTY;
      const lineEnd = keys ? "\r\n" : "\n";
      const asked = await askLab(lab, { verb: "console", machine, follow, keys }, { onOut: (chunk) => stdout.write(chunk), onNote: (line) => stderr.write(`[${line}]${lineEnd}`) });
      interruption().addEventListener("abort", asked.hangUp, { once: true });
      if (keys) stdout.write(`[the console of ${machine}; Ctrl-] leaves it]\n`);
      process.exitCode = await (keys ? typing(asked) : asked.ended);
    });
}

/** Hands on what is typed, key by key, until the one that leaves. Gives how it ended. @throws Failure as the lab's. */
async function typing({ say, ended, hangUp }: Asked): Promise<number> {
  const { stdin, stdout } = process;
  stdin.setRawMode(true);
  stdin.on("data", (typed: Buffer) => {
    const { keys, leaves } = untilEscape(typed);
    if (keys.length > 0) say({ in: keys.toString("base64") });
    if (leaves) hangUp();
  });
  // A terminal that is gone types no more.
  stdin.once("end", hangUp);
  try {
    const code = await ended;
    stdout.write("\r\n[left; what runs there goes on]\r\n");
    return code;
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}
