import { Command } from "commander";
import { runJsonSchema } from "../lab/report/bundle.ts";

/** `fwlab schema`: the published form of run.json, for tools that read it. */
export function schemaCommand(): Command {
  return new Command("schema")
    .description("print the JSON Schema of run.json")
    .allowExcessArguments(false)
    .action(() => console.log(JSON.stringify(runJsonSchema(), undefined, 2)));
}
