import { exitCode, Failure } from "../failure/failure.ts";
import { firstOf } from "../judge/scene.ts";
import { FlowsNotOpen } from "../traffic/flowsNotOpen.ts";

/** Flows that are not at rest although nobody sends. */
export function unsettledFlows(unsettled: readonly string[], withinMs: number): Failure {
  return new Failure({
    tried: "save the lab with its flows",
    seen: `${unsettled.length} flows wait for something ${withinMs / 1000} s after all fell silent: ${firstOf(unsettled)}`,
    remedy: "The flows must be steady before the lab is saved: look at the firewalls' rules and logs",
    exit: exitCode.invalid,
  });
}

/** Flows, of `opened`, that do not move through a firewall that nobody has touched. */
export function unmovedFlows(unmoved: readonly string[], opened: number, firewall: string): Failure {
  return new FlowsNotOpen({
    tried: `move ${opened} flows through ${firewall} before anything is broken`,
    seen: `${unmoved.length} do not move: ${firstOf(unmoved)}`,
    remedy: "The config tree has to let them through: see the firewalls' rulesets and kernel logs in the bundle",
    exit: exitCode.invalid,
  });
}
