import { join } from "node:path";
import { Option } from "commander";
import { fixturesFolder } from "../lab/run/prepare.ts";
import { controls, type Control } from "../lab/run/runSetting.ts";
import { mixture, type FlowCounts } from "../lab/traffic/flowSpec.ts";
import { defaultFlowTotal, parseConfigFolder, parseFlows, parseJsonFile } from "./startOptions.ts";

/** The options of every verb that brings a lab up and judges it, checked. Paths are absolute. */
export interface LabVerbOptions {
  readonly json?: string;
  readonly flows: FlowCounts;
  readonly control?: Control;
  readonly accel: "auto" | "kvm" | "tcg";
  readonly config: string;
  readonly cold: boolean;
  readonly verbose: boolean;
}

/** The repository's own config tree. */
const defaultConfig = join(fixturesFolder, "primary-backup");

/** Options for a command, as `LabVerbOptions` has them. @param judged what the verb judges; @param resultFile what it writes. */
export function labVerbOptions({ judged, resultFile }: { readonly judged: "run" | "trials"; readonly resultFile: string }): Option[] {
  return [
    new Option("--json <file>", `also write ${resultFile} to this file`).argParser(parseJsonFile),
    new Option("--flows <counts>", "a total, or tcp=N,udp=N,ssh=N").argParser(parseFlows).default(mixture(defaultFlowTotal), `${defaultFlowTotal}, mixed`),
    new Option("--control <name>", judged === "run" ? "a run that must fail, and why it must" : "trials that must fail, and why they must").choices(controls),
    new Option("--accel <kind>", "accelerator; auto tries whether KVM boots the guest").choices(["auto", "kvm", "tcg"]).default("auto"),
    new Option("--config <folder>", "config tree under test").argParser(parseConfigFolder).default(defaultConfig, "fixtures/primary-backup"),
    new Option("--cold", "boot the machines, even where saved ones could be restored").default(false),
    new Option("--verbose", "tell everything that is done").default(false),
  ];
}
