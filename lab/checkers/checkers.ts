import type { NodeFiles } from "../config/nodeFiles.ts";
import type { RulesetAnswers } from "../config/readRuleset.ts";
import { readSettings } from "../config/units.ts";
import type { Finding } from "../evidence/finding.ts";
import type { MachineShell } from "../machine/shell.ts";
import { quoted } from "../machine/quoted.ts";
import { ask, type Asking, type RawAnswer } from "./asking.ts";
import { checkConntrackd } from "./conntrackdCheck.ts";
import { checkIptables } from "./iptablesCheck.ts";
import { checkKeepalived } from "./keepalivedCheck.ts";
import { loadedRuleset, loadRuleset } from "./loadRuleset.ts";
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
export async function checkNode(shell: MachineShell, node: NodeFiles, signal?: AbortSignal): Promise<CheckerAnswers> {
  const answers: RawAnswer[] = [];
  const asking: Asking = { shell, signal, answers };
  await setScene(asking, node);
  const findings = [
    ...(await checkNft(asking, node)),
    ...(await checkScripts(asking, node)),
    ...(await checkKeepalived(asking, node)),
    ...(await checkConntrackd(asking, node)),
    ...(await checkUnits(asking, node)),
  ];
  const loaded = await loadRuleset(asking, node);
  findings.push(...(await checkIptables(asking, node)), ...(await checkSysctls(asking, node)));
  // What a checker said of a file, its loading says again.
  findings.push(...loaded.filter(({ file, line }) => !findings.some((finding) => finding.file === file && (line === null || finding.line === line) && finding.severity === "error")));
  return { findings, ...(await loadedRuleset(asking)), answers };
}

/** What a boot has by the time that the daemons read their files: modules, and interfaces that networkd makes. */
async function setScene(asking: Asking, { files }: NodeFiles): Promise<void> {
  await ask(asking, "/lib/systemd/systemd-modules-load");
  const made = files.filter(({ path }) => path.endsWith(".netdev")).flatMap((file) => readSettings(file).filter(({ section, key }) => section === "NetDev" && key === "Name"));
  if (made.length > 0) await ask(asking, made.map(({ value }) => `ip link add ${quoted(value)} type dummy`).join("; "));
}
