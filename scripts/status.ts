import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { createLogUpdate } from "log-update";
import { exitCode } from "../lab/failure/failure.ts";
import { askOnce, standingLabs } from "../lab/hand/askLab.ts";
import type { LabPlace } from "../lab/hand/place.ts";
import { statusText } from "../lab/hand/statusText.ts";
import { labStatusSchema, type LabStatus } from "../lab/hand/words.ts";
import { interruption } from "./interruption.ts";
import { labNameOption, type LabNameOption } from "./labName.ts";

interface StatusOptions extends LabNameOption {
  readonly json: boolean;
  readonly once: boolean;
  readonly all: boolean;
}

/** From the end of one look to the next, in milliseconds: each costs an emulated machine some of its processor. */
const pauseMs = 2_000;

/** `fwlab status`: a standing lab as it is now; on a terminal it goes on looking. */
export function statusCommand(): Command {
  return new Command("status")
    .description("show a lab that stands: machines, virtual addresses, VRRP, conntrack, replication, flows; on a terminal again and again until Ctrl-C")
    .option("--json", "print it for tools, once", false)
    .option("--once", "look once, on a terminal too", false)
    .option("--all", "list the labs that stand", false)
    .addOption(labNameOption())
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: npx fwlab status --once")
    .action(async ({ lab: place, json, once, all }: StatusOptions) => {
      if (all) {
        for (const name of await standingLabs()) process.stdout.write(`${name}\n`);
      } else if (json) {
        process.stdout.write(`${JSON.stringify({ schema: 1, name: place.name, ...(await statusOf(place)) }, undefined, 2)}\n`);
      } else if (once || !process.stdout.isTTY) {
        process.stdout.write(statusText(place.name, await statusOf(place), Date.now()));
      } else {
        await goOnLooking(place, interruption());
      }
      process.exitCode = exitCode.pass;
    });
}

/** How a standing lab is. @throws Failure as the lab's. */
export async function statusOf(place: LabPlace): Promise<LabStatus> {
  return labStatusSchema.parse(await askOnce(place, { verb: "status" }));
}

async function goOnLooking(place: LabPlace, signal: AbortSignal): Promise<void> {
  const live = createLogUpdate(process.stdout);
  while (!signal.aborted) {
    live(statusText(place.name, await statusOf(place), Date.now()));
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  live.done();
}
