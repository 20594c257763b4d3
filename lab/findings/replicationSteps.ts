import type { Notify } from "../config/keepalived.ts";
import type { Place } from "../config/nodeFiles.ts";
import type { NodeConfig } from "../config/pair.ts";
import type { Finding } from "../evidence/finding.ts";
import { notifiesOf, scriptsBehind } from "./notifyScripts.ts";
import { lostStates, tell, type Rule } from "./rule.ts";
import { stepsOf, type PairState } from "./shellSteps.ts";

interface PlacedStep extends Place {
  readonly letter: string;
}

interface Steps {
  readonly steps: readonly PlacedStep[];
  /** Where they should be. */
  readonly at: Place;
}

const kindsFor: Readonly<Record<PairState, readonly string[]>> = { primary: ["notify_master"], backup: ["notify_backup"] };
const generalKinds = ["notify", "notify_fifo_script", "vrrp_notify_fifo_script"];

/** What a node orders conntrackd to do in a state; undefined where that cannot be told. */
function stepsFor(node: NodeConfig, state: PairState): Steps | undefined {
  const notifies = notifiesOf(node.keepalived).filter(({ kind }) => kindsFor[state].includes(kind) || generalKinds.includes(kind));
  let at: Place = notifies[0] ?? { file: node.keepalived?.file ?? "", line: null };
  const steps: PlacedStep[] = [];
  for (const notify of notifies) {
    const inline = stepsOf([notify.command.join(" ")], state) ?? [];
    steps.push(...inline.map(({ letter }) => ({ letter, file: notify.file, line: notify.line })));
    if (inline.length > 0) continue;
    if (isUnknown(node, notify)) return undefined;
    for (const script of scriptsBehind(node, [...notify.command])) {
      if (script.binary || !/^#!.*\b(?:ba|da|z|k)?sh\b/u.test(script.lines[0] ?? "")) return undefined;
      const found = stepsOf(script.lines, state);
      if (found === undefined) return undefined;
      if (found.length > 0 || at === notifies[0]) at = { file: script.file, line: found[0]?.line ?? null };
      steps.push(...found.map(({ letter, line }) => ({ letter, file: script.file, line })));
    }
  }
  return { steps, at };
}

/** A program of the guest's own packages: what it does is not in the trees. */
function isUnknown(node: NodeConfig, { command }: Notify): boolean {
  return scriptsBehind(node, [...command]).length === 0 && !/conntrackd/u.test(command[0]);
}

/** `notify-missing`, `commit-missing`, `flush-before-commit`, `resync-missing`, `bulk-missing`, `resync-before-commit`: the steps of conntrackd's primary-backup.sh when a node becomes active. */
export const becomesPrimary: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    if (node.keepalived === undefined || node.conntrackd === undefined) return [];
    const isDirect = node.conntrackd.disableExternalCache?.value === true;
    if (notifiesOf(node.keepalived).length === 0) {
      const isElse = node.files.some(({ lines }) => lines.some((line) => /conntrackd\b.*\s-c\b/u.test(line)));
      return [
        tell({
          id: "notify-missing", severity: isDirect ? "hint" : "error", certainty: isElse || isDirect ? "possible" : "certain", node, at: { file: node.keepalived.file, line: null }, wrong: `keepalived of ${node.machine} tells nobody of its changes of state`,
          causes: isDirect ? "the states are in the kernel already; old ones stay there" : "the states that conntrackd got from the other node never come into the kernel: every flow dies at takeover", remedy: "Run conntrackd's steps (primary-backup.sh) from notify_master, notify_backup and notify_fault", explains: lostStates,
        }),
      ];
    }
    const told = stepsFor(node, "primary");
    if (told === undefined) return [];
    const { steps, at } = told;
    const first = (letter: string): number => steps.findIndex((step) => step.letter === letter);
    const findings: Finding[] = [];
    const add = (id: string, place: Place, severity: Finding["severity"], wrong: string, causes: string, remedy: string): void => {
      findings.push(tell({ id, severity, certainty: "likely", node, at: place, wrong, causes, remedy, explains: lostStates }));
    };
    const [commit, flush, resync, bulk] = [first("c"), first("f"), first("R"), first("B")];
    if (commit === -1 && !isDirect) add("commit-missing", at, "error", `${node.machine} does not commit the other node's states (conntrackd -c) when it becomes active`, "the kernel knows no connection of the other node's: every flow dies at takeover", "conntrackd -c as the first step");
    if (flush !== -1 && commit > flush && !isDirect) add("flush-before-commit", steps[flush] ?? at, "error", "the caches are flushed (conntrackd -f) before they are committed (-c)", "there is nothing left to commit: every flow dies at takeover", "Commit first, then flush");
    const isAlarm = node.conntrackd.mode?.value === "ALARM";
    if (resync === -1 && !isDirect) add("resync-missing", at, "warning", `${node.machine} does not fill its internal cache from the kernel (conntrackd -R) after the commit`, "it does not replicate the connections that it took over: they die at failback", "conntrackd -R after -c and -f");
    if (resync !== -1 && commit > resync) add("resync-before-commit", steps[resync] ?? at, "warning", "the internal cache is filled from the kernel (conntrackd -R) before the states are committed (-c)", "the connections that were taken over are not in it: they die at failback", "Commit first");
    if (bulk === -1 && !isAlarm && !isDirect) add("bulk-missing", at, "warning", `${node.machine} does not send all its states (conntrackd -B) when it becomes active`, "the other node hears only of connections that change: idle ones die at failback", "conntrackd -B as the last step");
    return findings;
  });

/** `request-missing`, `timers-missing`: the steps of a node that is no longer active, or not yet. */
export const becomesBackup: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    if (node.conntrackd === undefined || notifiesOf(node.keepalived).length === 0) return [];
    const told = stepsFor(node, "backup");
    if (told === undefined) return [];
    const { steps, at } = told;
    const has = (letter: string): boolean => steps.some((step) => step.letter === letter);
    const findings: Finding[] = [];
    if (!has("n") && node.conntrackd.mode?.value !== "ALARM" && node.conntrackd.disableExternalCache?.value !== true) {
      findings.push(
        tell({
          id: "request-missing", severity: node.conntrackd.startupResync?.value === true ? "hint" : "warning", certainty: "likely", node, at, wrong: `${node.machine} does not ask for the other node's states (conntrackd -n) when it becomes backup`,
          causes: "after it returns it knows only connections that began or changed since: the others die at the next takeover", remedy: "conntrackd -n in the backup's steps", explains: lostStates,
        }),
      );
    }
    if (!has("t")) {
      findings.push(
        tell({ id: "timers-missing", severity: "hint", certainty: "likely", node, at, wrong: `${node.machine} does not shorten the timers of its own states (conntrackd -t) when it becomes backup`, causes: "states of closed connections stay in its kernel", remedy: "conntrackd -t in the backup's steps", explains: [] }),
      );
    }
    return findings;
  });
