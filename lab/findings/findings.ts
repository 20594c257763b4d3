import type { PairConfig } from "../config/pair.ts";
import { severities, type Finding } from "../evidence/finding.ts";
import { initialState, onePreferred, preemptDelay } from "./election.ts";
import { daemonFiles } from "./files.ts";
import { filesDiffer } from "./filesDiffer.ts";
import { interfacesKnown, ownAddresses } from "./interfaces.ts";
import { conntrackEvents, forwarding, looseAndStrict, modulesFirst, sysctlsDiffer, tableSize } from "./kernelSettings.ts";
import { lockFile, scriptConfig } from "./lockFile.ts";
import { gratuitousArp, scriptsRun, scriptUser, strictMode } from "./notifyScripts.ts";
import { addressFilter, cacheSize, protocolFilter, stateFilter } from "./replicationFilter.ts";
import { replicates, replicationAgrees, replicationChannel, replicationInterface, replicationPeer } from "./replicationLink.ts";
import { offloadedStates } from "./offloadedStates.ts";
import { becomesBackup, becomesPrimary } from "./replicationSteps.ts";
import { returnPath } from "./returnPath.ts";
import type { Rule } from "./rule.ts";
import { replicationPasses, vrrpPasses } from "./rulesetDialogue.ts";
import { rulesetsAgree, rulesetThere } from "./rulesetDiffers.ts";
import { denialHolds, flowsPass, midStreamRefused, outOfStateDropped } from "./rulesetForwarding.ts";
import { translatesToVip, translationAgrees } from "./rulesetTranslation.ts";
import { daemonsRun, sameServices, startOrder } from "./services.ts";
import { notifyNames, syncGroup } from "./syncGroup.ts";
import { vipsDiffer, vipsKnown } from "./vips.ts";
import { advertsMatch, unicastMatches, vridClash, vridDiffers } from "./vrrpDialogue.ts";

/** All that is looked for without a fault. */
const rules: readonly Rule[] = [
  daemonFiles,
  vipsKnown,
  vipsDiffer,
  interfacesKnown,
  ownAddresses,
  vridDiffers,
  vridClash,
  advertsMatch,
  unicastMatches,
  onePreferred,
  initialState,
  preemptDelay,
  syncGroup,
  notifyNames,
  scriptsRun,
  scriptUser,
  strictMode,
  gratuitousArp,
  becomesPrimary,
  becomesBackup,
  offloadedStates,
  replicates,
  replicationAgrees,
  replicationInterface,
  replicationPeer,
  replicationChannel,
  addressFilter,
  protocolFilter,
  stateFilter,
  cacheSize,
  lockFile,
  scriptConfig,
  daemonsRun,
  sameServices,
  startOrder,
  forwarding,
  conntrackEvents,
  tableSize,
  sysctlsDiffer,
  looseAndStrict,
  modulesFirst,
  returnPath,
  filesDiffer,
  vrrpPasses,
  replicationPasses,
  flowsPass,
  denialHolds,
  midStreamRefused,
  outOfStateDropped,
  translatesToVip,
  translationAgrees,
  rulesetThere,
  rulesetsAgree,
];

/** What all rules find in a pair's files, once each: errors first, then by file and line. */
export function findingsOf(pair: PairConfig): Finding[] {
  return collected(rules.flatMap((rule) => rule(pair)));
}

/** Findings once each, errors first, then by file and line: those of rules, and of checkers among them. */
export function collected(findings: readonly Finding[]): Finding[] {
  // A file of `common` is both nodes': what it says wrongly is told once.
  const unique = new Map(findings.map((finding) => [JSON.stringify([finding.id, finding.file, finding.line, finding.file.startsWith("common/") && finding.line !== null ? "" : finding.wrong]), finding] as const).toReversed());
  const rank = ({ severity }: Finding): number => severities.indexOf(severity);
  return [...unique.values()].toSorted((a, b) => rank(a) - rank(b) || compare(a.file, b.file) || (a.line ?? 0) - (b.line ?? 0) || compare(a.id, b.id) || compare(a.wrong, b.wrong));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
