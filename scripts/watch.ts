import { Command, InvalidArgumentError, Option } from "commander";
import { exitCode, Failure } from "../lab/failure/failure.ts";
import { serveWatch } from "../lab/hand/watchServer.ts";
import { interruption } from "./interruption.ts";
import { labNameOption, type LabNameOption } from "./labName.ts";
import { statusOf } from "./status.ts";

const pauseMs = 1_000;

/** `fwlab watch`: a page that shows a lab live. */
export function watchCommand(): Command {
  return new Command("watch")
    .description("serve a page, to this host's own browsers alone, that shows a lab that stands live: machines, virtual addresses, flows, what changes")
    .addOption(new Option("--port <number>", "of 127.0.0.1; any that is free unless one is given").argParser(parsePort).default(0, "any"))
    .addOption(labNameOption())
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab watch")
    .action(async ({ lab: place, port }: LabNameOption & { port: number }) => {
      const signal = interruption();
      await using server = await serveWatch({ name: place.name, look: () => statusOf(place), port, pauseMs, signal });
      process.stdout.write(`${server.url}\nuntil Ctrl-C\n`);
      const why = await server.ended;
      if (!signal.aborted) throw new Failure({ tried: `watch the lab ${place.name}`, seen: why, remedy: "Bring it up again: fwlab up", exit: exitCode.usage });
      process.exitCode = exitCode.pass;
    });
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/u.test(text) ? Number(text) : Number.NaN;
  if (!(port >= 0 && port <= 65_535)) throw new InvalidArgumentError(`"${text}" is no port.`);
  return port;
}
