import { Argument, Command, Option } from "commander";
import { exitCode, Failure } from "../lab/failure/failure.ts";
import { isStanding } from "../lab/hand/askLab.ts";
import { graphMermaid, graphText } from "../lab/hand/graph.ts";
import type { LabStatus } from "../lab/hand/words.ts";
import { topologies } from "../lab/judge/topologies.ts";
import { primaryBackup } from "../lab/topology/primaryBackup.ts";
import { sandwiches, type SandwichTopology } from "../lab/topology/sandwich.ts";
import type { PairTopology } from "../lab/topology/topology.ts";
import { labNameOption, type LabNameOption } from "./labName.ts";
import { statusOf } from "./status.ts";

const all: ReadonlyMap<string, PairTopology | SandwichTopology> = new Map<string, PairTopology | SandwichTopology>([...topologies, ...sandwiches]);

interface GraphOptions extends LabNameOption {
  readonly format: "text" | "mermaid";
}

/** `fwlab graph`: a lab that stands as it is, or a topology as it is plugged together. */
export function graphCommand(): Command {
  const command = new Command("graph");
  return command
    .description("draw a lab that stands as it is now: who is up, who holds which address, what is blocked; or, where none stands or a topology is named, how that one is plugged together")
    .addArgument(new Argument("[topology]", `drawn without any lab; ${primaryBackup.name} where none stands`).choices([...all.keys()]))
    .addOption(new Option("--format <kind>", "for people, or a flowchart for Markdown pages").choices(["text", "mermaid"]).default("text"))
    .addOption(labNameOption())
    .allowExcessArguments(false)
    .addHelpText("after", "\nExamples: npx fwlab graph\n          npx fwlab graph sandwich --format mermaid")
    .action(async (name: string | undefined, { format, lab: place }: GraphOptions) => {
      const isNamed = command.getOptionValueSource("lab") !== "default";
      if (name !== undefined && isNamed) throw new Failure({ tried: `draw ${name}`, seen: `the lab ${place.name} was named, too`, remedy: "Name a topology or a lab", exit: exitCode.usage });
      const status = name === undefined && (isNamed || (await isStanding(place))) ? await statusOf(place) : undefined;
      process.stdout.write(drawn(status?.topology ?? name ?? primaryBackup.name, format, status));
      process.exitCode = exitCode.pass;
    });
}

function drawn(name: string, format: GraphOptions["format"], status: LabStatus | undefined): string {
  const topology = all.get(name);
  if (topology === undefined) throw new RangeError(`no topology ${name}`);
  return format === "text" ? graphText(topology, status) : graphMermaid(topology, status);
}
