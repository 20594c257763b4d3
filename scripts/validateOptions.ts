import { Option } from "commander";
import type { FlowCounts } from "../lab/traffic/flowSpec.ts";
import { hostOption } from "./labOptions.ts";
import { parseFlows, parseJsonFile } from "./startOptions.ts";

/** The options of verbs that validate trees, checked. Paths are absolute. */
export interface ValidatingOptions {
  readonly static: boolean;
  readonly flows?: number | FlowCounts;
  readonly accel: "auto" | "kvm" | "tcg";
  readonly cold: boolean;
  readonly verbose: boolean;
}

/** The options of `fwlab validate`. `json` is true where the result goes to standard output. */
export interface ValidateVerbOptions extends ValidatingOptions {
  readonly base?: string;
  readonly json?: string | true;
  readonly sarif?: string;
}

/** Options for a command, as `ValidatingOptions` has them. */
export function validatingOptions(): Option[] {
  return [
    new Option("--static", "look at the files alone: no failover").default(false),
    new Option("--flows <counts>", "a total, or tcp=N,udp=N,ssh=N; unless given, few of each kind that the tree promises").argParser(parseFlows),
    new Option("--accel <kind>", "accelerator; auto tries whether KVM boots the guest").choices(["auto", "kvm", "tcg"]).default("auto"),
    new Option("--cold", "boot the machines, even where saved ones could be restored").default(false),
    hostOption(),
    new Option("--verbose", "tell everything that is done").default(false),
  ];
}

/** Options of `fwlab validate` alone. */
export function resultOptions(): Option[] {
  return [
    new Option("--base <tree>", "the folder holds only what differs from this tree: a name in fixtures/, or a folder"),
    new Option("--json [file]", "print validation.json instead of the text for people, or write it to this file beside it").argParser(parseJsonFile),
    new Option("--sarif <file>", "also write the findings to this file as SARIF 2.1.0, for code scanning").argParser(parseJsonFile),
  ];
}
