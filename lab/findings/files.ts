import type { SyntaxFault } from "../config/blocks.ts";
import type { Finding } from "../evidence/finding.ts";
import { lostAddresses, lostStates, missingAt, tell, type Rule } from "./rule.ts";

/** `config-missing`, `brace-unmatched`, `include-missing`: what a daemon reads is there and whole. */
export const daemonFiles: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const { keepalived, conntrackd } = node;
    const findings: Finding[] = [];
    const missing = (daemon: string, path: string, explains: readonly string[]): void => {
      findings.push(
        tell({
          id: "config-missing", severity: "error", certainty: "certain", node, at: missingAt(node, path),
          wrong: `${node.machine} gets no configuration of ${daemon}`,
          causes: `${daemon} does not start on ${node.machine}`,
          remedy: `Put ${daemon}'s configuration at ${path} of ${node.machine}, or of common`,
          explains,
        }),
      );
    };
    if (keepalived === undefined) missing("keepalived", node.keepalivedPath, lostAddresses);
    if (conntrackd === undefined) missing("conntrackd", node.conntrackdPath, lostStates);
    const fault = ({ wrong, ...at }: SyntaxFault, daemon: string, explains: readonly string[]): Finding =>
      tell({
        id: "brace-unmatched", severity: "error", certainty: "likely", node, at, wrong: `${daemon}'s configuration has ${wrong}`,
        causes: `${daemon} reads something else than what is meant, or does not start`, remedy: "Close what is open, and nothing else", explains,
      });
    findings.push(...(keepalived?.faults ?? []).map((each) => fault(each, "keepalived", lostAddresses)));
    findings.push(...(conntrackd?.faults ?? []).map((each) => fault(each, "conntrackd", lostStates)));
    for (const { value, ...at } of keepalived?.missingIncludes ?? []) {
      findings.push(
        tell({
          id: "include-missing", severity: "error", certainty: "likely", node, at, wrong: `it includes ${value}, which ${node.machine} does not get`,
          causes: "what the file was to say is not there", remedy: `Put ${value} in the tree, or take the include away`, explains: lostAddresses,
        }),
      );
    }
    return findings;
  });
