import type { NodeFiles } from "../config/nodeFiles.ts";
import type { RulesetAnswers } from "../config/readRuleset.ts";
import { readSettings } from "../config/units.ts";
import type { Finding } from "../evidence/finding.ts";
import type { MachineShell } from "../machine/shell.ts";
import { together } from "../machine/together.ts";
import { quoted } from "../machine/quoted.ts";
import { ask, Asking, NotRecalled, type RawAnswer } from "./asking.ts";
import { checkConntrackd } from "./conntrackdCheck.ts";
import { checkIptables } from "./iptablesCheck.ts";
import { checkKeepalived } from "./keepalivedCheck.ts";
import { loadedRuleset, loadRuleset, servicesOfRules } from "./loadRuleset.ts";
import { checkNft } from "./nftCheck.ts";
import { checkScripts } from "./scriptCheck.ts";
import { checkSysctls } from "./sysctlCheck.ts";
import { checkUnits } from "./unitCheck.ts";

/** What a guest's own checkers say of a machine's files, and the ruleset that its kernel has when they are loaded. */
export interface CheckerAnswers extends RulesetAnswers {
  readonly findings: readonly Finding[];
  /** Every question, in its order, with what was answered. */
  readonly answers: readonly RawAnswer[];
}

/**
 * Asks the checkers of a guest, one after the other, about the files that were put there. The guest is an idle machine on which nothing of the tree has
 * been started; it is fit for nothing else afterwards: modules, sysctls and rules are loaded. Takes some seconds.
 * @throws Failure when the machine does not answer.
 */
export function checkNode(shell: MachineShell, node: NodeFiles, signal?: AbortSignal): Promise<CheckerAnswers> {
  // What is asked in one breath is asked in this order.
  return answersOf(Asking.of(together(shell, "one after the other"), signal), node);
}

/** The same from what a guest answered before, when it had these files. Undefined when the checkers ask anything else today. */
export async function recallNode(recalled: readonly RawAnswer[], node: NodeFiles): Promise<CheckerAnswers | undefined> {
  try {
    return await answersOf(Asking.recalling(recalled), node);
  } catch (error) {
    if (error instanceof NotRecalled) return undefined;
    throw error;
  }
}

async function answersOf(asking: Asking, node: NodeFiles): Promise<CheckerAnswers> {
  const [, nft, scripts, keepalived, conntrackd, units, services] = await Promise.all([
    setScene(asking, node),
    checkNft(asking, node),
    checkScripts(asking, node),
    checkKeepalived(asking, node),
    checkConntrackd(asking, node),
    checkUnits(asking, node),
    servicesOfRules(asking, node),
  ]);
  const [loaded, iptables, sysctls, ruleset] = await Promise.all([loadRuleset(asking, node, services), checkIptables(asking, node), checkSysctls(asking, node), loadedRuleset(asking)]);
  const findings = [...nft, ...scripts, ...keepalived, ...conntrackd, ...units, ...iptables, ...sysctls];
  // What a checker said of a file, its loading says again.
  findings.push(...loaded.filter(({ file, line }) => !findings.some((finding) => finding.file === file && (line === null || finding.line === line) && finding.severity === "error")));
  return { findings, ...ruleset, answers: asking.answers };
}

/** What a boot has by the time that the daemons read their files: modules, and interfaces that networkd makes. */
async function setScene(asking: Asking, { files }: NodeFiles): Promise<void> {
  const made = files.filter(({ path }) => path.endsWith(".netdev")).flatMap((file) => readSettings(file).filter(({ section, key }) => section === "NetDev" && key === "Name"));
  const asked = [ask(asking, "/lib/systemd/systemd-modules-load")];
  // A dummy does no multicast unless it is told to; what it stands for does, and keepalived asks.
  if (made.length > 0) asked.push(ask(asking, made.map(({ value }) => `ip link add ${quoted(value)} type dummy && ip link set ${quoted(value)} multicast on`).join("; ")));
  await Promise.all(asked);
}
