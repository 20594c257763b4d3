import { join } from "node:path";
import { Option } from "commander";
import { fixturesFolder } from "../lab/run/prepare.ts";
import { captureChoices, type CaptureChoice } from "../lab/run/runCapture.ts";
import { controls, type Control } from "../lab/run/runSetting.ts";
import type { FlowCounts } from "../lab/traffic/flowSpec.ts";
import { hosts } from "./hostChoice.ts";
import { defaultFlowTotal, parseConfigFolder, parseFlows, parseJsonFile } from "./startOptions.ts";

/** The options of every verb that brings a lab up and judges it, checked. Paths are absolute. */
export interface LabVerbOptions {
  readonly json?: string;
  /** A total, or how many of each kind. */
  readonly flows: number | FlowCounts;
  readonly control?: Control;
  readonly accel: "auto" | "kvm" | "tcg";
  readonly config: string;
  /** What the result is compared with. */
  readonly baseline?: string;
  readonly pcap: CaptureChoice;
  readonly cold: boolean;
  readonly verbose: boolean;
}

/** The repository's own config tree. */
const defaultConfig = join(fixturesFolder, "omarine-snat");

/** The option that says whose programs the lab runs with. */
export function hostOption(): Option {
  return new Option("--host <where>", "run with this host's programs, or in a container that has them all (Docker or Podman)").choices(hosts).default("local");
}

/** Options for a command, as `LabVerbOptions` has them. @param resultFile what the verb writes. */
export function labVerbOptions({ resultFile }: { readonly resultFile: string }): Option[] {
  return [
    new Option("--json <file>", `also write ${resultFile} to this file`).argParser(parseJsonFile),
    new Option("--flows <counts>", "a total, or tcp=N,udp=N,ssh=N").argParser(parseFlows).default(defaultFlowTotal, `${defaultFlowTotal}, mixed of what the tree promises`),
    new Option("--control <name>", "lay a tree over the one under test that breaks it on purpose").choices(controls),
    new Option("--accel <kind>", "accelerator; auto tries whether KVM boots the guest").choices(["auto", "kvm", "tcg"]).default("auto"),
    new Option("--config <folder>", "config tree under test").argParser(parseConfigFolder).default(defaultConfig, "fixtures/omarine-snat"),
    new Option("--baseline <name>", "compare the result with this baseline, id or folder; exit code 1 when it got worse"),
    new Option("--pcap <choice>", "capture every packet on the bridges and the firewalls' taps; off is quicker, and says less").choices(captureChoices).default("on"),
    new Option("--cold", "boot the machines, even where saved ones could be restored").default(false),
    hostOption(),
    new Option("--verbose", "tell everything that is done").default(false),
  ];
}
