import { fileURLToPath } from "node:url";
import { nodeFile, type NodeFiles, type NodeLink } from "../config/nodeFiles.ts";
import { pairConfig, readPair, type PairFiles } from "../config/pair.ts";
import type { Finding } from "../evidence/finding.ts";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { findingsOf } from "./findings.ts";

/** The reference tree, as it is in the repository. Read once: nothing changes it. */
const reference = readPair(primaryBackup, [fileURLToPath(new URL("../../fixtures/omarine-snat", import.meta.url))]);

export const referencePair = (): Promise<PairFiles> => reference;

export const keepalivedConf = "/etc/keepalived/keepalived.conf";
export const conntrackdConf = "/etc/conntrackd/conntrackd.conf";
export const notifyScript = "/etc/keepalived/notify";
export const sysctlConf = "/etc/sysctl.d/60-firewall.conf";

/** A change of one file's text; of both firewalls, where no machine is named. */
export interface Edit {
  readonly machine?: string;
  readonly path: string;
  /** Throws where nothing changes, so that no test passes on an edit that misses. Undefined takes the file away. */
  readonly change: ((text: string) => string) | undefined;
  readonly mode?: number;
}

const replaced = (pattern: string | RegExp, by: string) => (text: string) => text.replaceAll(typeof pattern === "string" ? pattern : new RegExp(pattern.source, `${pattern.flags.replace("g", "")}g`), by);

/** `replace(path, what, by)` in both firewalls' files, or one's. */
export const replace = (path: string, pattern: string | RegExp, by: string, machine?: string): Edit => ({ path, change: replaced(pattern, by), ...(machine === undefined ? {} : { machine }) });

/** Makes a file anew, or in an old one's place. */
export const put = (path: string, text: string, machine?: string, mode?: number): Edit => ({ path, change: () => text, ...(machine === undefined ? {} : { machine }), ...(mode === undefined ? {} : { mode }) });

export const take = (path: string, machine?: string): Edit => ({ path, change: undefined, ...(machine === undefined ? {} : { machine }) });

/** A pair's files after these edits. */
export function edited(pair: PairFiles, edits: readonly Edit[]): PairFiles {
  const apply = (node: NodeFiles, isFirewall: boolean): NodeFiles => {
    let { files, links } = node;
    for (const { machine, path, change, mode } of edits) {
      if (machine === undefined ? !isFirewall : machine !== node.machine) continue;
      const old = files.find((file) => file.path === path);
      const link = links.find((candidate: NodeLink) => candidate.path === path);
      if (change === undefined) {
        if (old === undefined && link === undefined) throw new Error(`${node.machine} has no ${path} to take away`);
        files = files.filter((file) => file !== old);
        links = links.filter((candidate) => candidate !== link);
        continue;
      }
      const before = old?.lines.join("\n") ?? "";
      const after = change(old === undefined ? "" : `${before}\n`);
      if (after === `${before}\n` && (mode ?? old?.mode) === old?.mode) throw new Error(`the edit of ${path} on ${node.machine} changes nothing`);
      const file = nodeFile(path, { file: old?.file ?? `${node.machine}${path}`, tree: old?.tree ?? "", mode: mode ?? old?.mode ?? 0o644, content: after });
      files = [...files.filter((candidate) => candidate !== old), file];
    }
    return { ...node, files, links };
  };
  return { ...pair, nodes: pair.nodes.map((node) => apply(node, true)), endpoints: pair.endpoints.map((node) => apply(node, false)) };
}

/** What is found above a hint, after these edits of the reference tree. */
export async function faultsAfter(...edits: Edit[]): Promise<Finding[]> {
  return (await findingsAfter(...edits)).filter(({ severity }) => severity !== "hint");
}

export async function findingsAfter(...edits: Edit[]): Promise<Finding[]> {
  return findingsOf(pairConfig(edited(await referencePair(), edits)));
}
