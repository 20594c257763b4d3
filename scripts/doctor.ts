import { Command } from "commander";
import { examinedText, isFit } from "../lab/doctor/examined.ts";
import { examineHost } from "../lab/doctor/examine.ts";
import { exitCode } from "../lab/failure/failure.ts";
import { interruption } from "./interruption.ts";

/** `fwlab doctor`: what this host has of what labs need, and what mends the rest. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("look at this host: what works, what is slower or impossible without what it lacks, and the one command that mends it")
    .option("--json", "print it for tools", false)
    .allowExcessArguments(false)
    .addHelpText("after", "\nExit code: 0 when labs run here, 2 when something that they need is missing.\nExample: npm run doctor")
    .action(async ({ json }: { json: boolean }) => {
      const parts = await examineHost(interruption());
      process.stdout.write(json ? `${JSON.stringify({ schema: 1, fit: isFit(parts), parts }, undefined, 2)}\n` : examinedText(parts, process.stdout.isTTY));
      process.exitCode = isFit(parts) ? exitCode.pass : exitCode.usage;
    });
}
