import { exitCode, Failure, messageOf } from "../failure/failure.ts";
import { readIptablesSave, tablesIn } from "./iptablesSave.ts";
import { readNftJson } from "./nftJson.ts";
import type { Ruleset } from "./ruleset.ts";

/** What a guest said of its rules when all that loads rules had run. */
export interface RulesetAnswers {
  /** `nft -j list ruleset`. */
  readonly nftJson: string | undefined;
  /** `iptables-save`; empty where no table of it is there. */
  readonly iptablesSave: string | undefined;
  readonly ip6tablesSave: string | undefined;
}

/**
 * One model of both tools' rules; undefined where the guest could not tell. Tables that iptables made are read from its own words.
 * @throws Failure when an answer has another form.
 */
export function readRuleset(machine: string, { nftJson, iptablesSave = "", ip6tablesSave = "" }: RulesetAnswers): Ruleset | undefined {
  if (nftJson === undefined) return undefined;
  try {
    const foreign = new Set([...tablesIn(iptablesSave, "ip"), ...tablesIn(ip6tablesSave, "ip6")]);
    return { machine, chains: [...readNftJson(nftJson, foreign), ...readIptablesSave(iptablesSave, "ip"), ...readIptablesSave(ip6tablesSave, "ip6")] };
  } catch (error) {
    throw new Failure({
      tried: `read what ${machine} says of its ruleset`,
      seen: messageOf(error),
      remedy: "The guest's nft or iptables answers in another form than the image's do: report it with the bundle",
      exit: exitCode.invalid,
      cause: error,
    });
  }
}
