import { type NodeFiles } from "../config/nodeFiles.ts";
import { readSysctls, sysctl, type Sysctls } from "../config/sysctls.ts";
import type { Finding } from "../evidence/finding.ts";
import { ask, type Asking } from "./asking.ts";

/** systemd-sysctl over all that the guest has, its modules loaded: which keys the kernel lacks, and which values it refuses. */
export async function checkSysctls(asking: Asking, node: NodeFiles): Promise<Finding[]> {
  const sysctls = readSysctls(node);
  if (sysctls.size === 0) return [];
  const { output } = await ask(asking, "/lib/systemd/systemd-sysctl");
  return sysctlFindings(output, node.machine, sysctls);
}

/** systemd-sysctl's complaints of keys that the trees set: `Couldn't write 'V' to 'net/ipv4/x', ignoring: No such file or directory`. */
export function sysctlFindings(output: string, machine: string, sysctls: Sysctls): Finding[] {
  return [...output.matchAll(/^Couldn't write '(.*)' to '([^']+)'(?:, ignoring)?: (.*)$/gmu)].flatMap(([, value = "", path = "", reason = ""]) => {
    const key = path.replaceAll("/", ".");
    const said = sysctl(sysctls, key);
    if (said === undefined) return [];
    const missing = reason.startsWith("No such file");
    return [
      {
        id: missing ? "sysctl-unknown" : "sysctl-refused",
        severity: "warning" as const,
        certainty: "certain" as const,
        machine,
        file: said.file,
        line: said.line,
        wrong: missing ? `the kernel has no ${key}` : `the kernel refuses ${value} for ${key}: ${reason}`,
        causes: "the line does nothing: the kernel keeps its default",
        remedy: missing ? "Look for a misspelt name, or for a module that has to be loaded first" : "Write a value that the key takes",
        explains: [],
        also: [],
      },
    ];
  });
}
