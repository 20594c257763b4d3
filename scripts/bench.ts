import { Command } from "commander";
import { exitCode, Failure } from "../lab/failure/failure.ts";

/** `fwlab bench`: the numbers that a change must not make worse, as ratios within one run. */
export function benchCommand(): Command {
  return new Command("bench")
    .description("measure: four machines cold to ready against four bare kernels, side by side")
    .allowExcessArguments(false)
    .action(() => {
      throw new Failure({ tried: "run the bench", seen: "this version has none yet", remedy: "Use npm start; run.json has its durations.", exit: exitCode.invalid });
    });
}
