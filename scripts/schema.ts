import { Argument, Command } from "commander";
import { comparisonJsonSchema } from "../lab/history/comparisonJsonSchema.ts";
import { runJsonSchema } from "../lab/report/bundle.ts";
import { trialsJsonSchema } from "../lab/report/trialsJsonSchema.ts";
import { validationJsonSchema } from "../lab/report/validationJsonSchema.ts";

const schemas = { run: runJsonSchema, trials: trialsJsonSchema, comparison: comparisonJsonSchema, validation: validationJsonSchema };

/** `fwlab schema`: the published form of run.json, trials.json, a comparison or validation.json, for tools that read them. */
export function schemaCommand(): Command {
  return new Command("schema")
    .description("print the JSON Schema of run.json, trials.json, a comparison or validation.json")
    .addArgument(new Argument("[file]", "which of them").choices(Object.keys(schemas)).default("run"))
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab schema run")
    .action((file: keyof typeof schemas) => console.log(JSON.stringify(schemas[file](), undefined, 2)));
}
