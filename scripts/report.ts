import { Command } from "commander";
import { exitCode } from "../lab/failure/failure.ts";
import { writeReport } from "../lab/report/writeReport.ts";
import { fromCaller } from "./startOptions.ts";

/** `fwlab report`: the report of a run or of trials, made again from the bundle. */
export function reportCommand(): Command {
  return new Command("report")
    .description("write report.html into a bundle, or into a folder of trials and each of their bundles, and print its path")
    .argument("<bundle>", "folder of a run or of trials")
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab report fixtures/bundles/pass")
    .action(async (bundle: string) => {
      console.log(await writeReport(fromCaller(bundle)));
      process.exitCode = exitCode.pass;
    });
}
