import { basename } from "node:path";
import { scriptPath, type FirewallBuilderFile } from "../config/firewallBuilderFile.ts";
import { exitCode, Failure } from "../failure/failure.ts";
import { setClock } from "../machine/layTree.ts";
import type { MachineShell } from "../machine/shell.ts";
import { complaintOf, membersOf, warningsOf, type FwbIptComplaint } from "./fwbIptAnswer.ts";

/** What Firewall Builder makes of a policy. */
export interface CompiledPolicy {
  /** By firewall: the script as it came out. */
  readonly scripts: ReadonlyMap<string, Buffer>;
  readonly warnings: readonly string[];
}

/** Two firewalls with a hundred rules each take 2 s, emulated. */
const compileTimeoutSeconds = 60;

const folder = "/run/fwlab-policy";

/** fwb_ipt writes the time into the script. Where the file does not say when it was changed last, it is this, so that the same policy is the same script. */
const undatedSeconds = 1_000_000_000;

/**
 * Compiles Firewall Builder's policy on a machine, for each of these firewalls: by the object of its name, or with the rules of the cluster that it is a
 * member of. While fwb_ipt runs, the machine's clock is held at the file's own last change: the same file gives the same scripts, byte for byte.
 * @throws Failure (usage) in fwb_ipt's own words, with the line where it is told, when it does not compile, or lacks a firewall.
 */
export async function compileFirewallBuilder(shell: MachineShell, policy: FirewallBuilderFile, firewalls: readonly string[], signal?: AbortSignal): Promise<CompiledPolicy> {
  const text = policy.content.toString("utf8");
  const options = { ...(signal && { signal }) };
  await shell.must(`rm -rf ${folder} && mkdir -p ${folder} && cat > ${folder}/policy.fwb`, { input: policy.content, ...options });
  try {
    const scripts = new Map<string, Buffer>();
    const warnings: string[] = [];
    const compile = async (object: string, number: number): Promise<Answer> => compileObject(shell, { object, seconds: lastChange(text), out: `${folder}/out-${number}` }, signal);
    for (const [index, cluster] of namesOf(text, "Cluster").entries()) {
      const answer = await compile(cluster, index);
      const members = membersOf(answer.output).filter((member) => firewalls.includes(member));
      if (members.length === 0) continue;
      refuseComplaint(policy, answer);
      for (const member of members) scripts.set(member, await scriptOf(shell, policy, answer, `${member}.fw`, options));
      warnings.push(...warningsOf(answer.output));
    }
    for (const [index, firewall] of firewalls.entries()) {
      if (scripts.has(firewall)) continue;
      const answer = await compile(firewall, 1000 + index);
      refuseComplaint(policy, answer);
      scripts.set(firewall, await scriptOf(shell, policy, answer, `${firewall}.fw`, options));
      warnings.push(...warningsOf(answer.output));
    }
    return { scripts: new Map(firewalls.map((firewall) => [firewall, scripts.get(firewall) ?? Buffer.alloc(0)])), warnings };
  } finally {
    await setClock(shell, signal);
  }

  function refuseComplaint(file: FirewallBuilderFile, { object, output, exitCode: code }: Answer): void {
    const complaint = complaintOf(output, text) ?? (code === 0 ? undefined : { words: `fwb_ipt ended with exit code ${code}${code === 124 ? `, after ${compileTimeoutSeconds} s` : ""}`, line: undefined });
    if (complaint !== undefined) throw failureOf(file, object, complaint, { output, firewalls, objects: namesOf(text, "Firewall") });
  }
}

interface Answer {
  readonly object: string;
  /** Folder of what it wrote. */
  readonly out: string;
  /** Standard output and standard error. */
  readonly output: string;
  readonly exitCode: number;
}

async function compileObject(shell: MachineShell, { object, seconds, out }: { object: string; seconds: number; out: string }, signal: AbortSignal | undefined): Promise<Answer> {
  const commands = [
    `mkdir -p ${out} && cd ${folder}`,
    `(while date --utc --set=@${seconds}; do sleep 0.1; done) >/dev/null 2>&1 & clock=$!`,
    `LC_ALL=C.UTF-8 timeout ${compileTimeoutSeconds} fwb_ipt -f policy.fwb -d ${out} ${quoted(object)} 2>&1; code=$?`,
    "kill $clock",
    "exit $code",
  ];
  const { stdout, exitCode: code } = await shell.run(commands.join("\n"), { timeoutMs: (compileTimeoutSeconds + 30) * 1000, ...(signal && { signal }) });
  return { object, out, output: stdout, exitCode: code };
}

/** @throws Failure when fwb_ipt complained of nothing, and made no script either. */
async function scriptOf(shell: MachineShell, policy: FirewallBuilderFile, { object, out, output }: Answer, name: string, options: { signal?: AbortSignal }): Promise<Buffer> {
  const { stdout, exitCode: code } = await shell.run(`base64 --wrap=0 ${quoted(`${out}/${name}`)}`, options);
  if (code === 0) return Buffer.from(stdout, "base64");
  const written = (await shell.must(`ls -A ${out}`, options)).trim().split("\n").join(", ");
  const seen = `fwb_ipt wrote ${written === "" ? "nothing" : written}, and not ${name}`;
  const remedy = "Leave the object's option \"output file name\" empty: the lab names the script";
  throw new Failure({ tried: `compile ${object} of ${basename(policy.path)}`, seen, remedy, exit: exitCode.usage, details: output.split("\n").slice(-20) });
}

function failureOf(policy: FirewallBuilderFile, object: string, { words, line }: FwbIptComplaint, { output, firewalls, objects }: { output: string; firewalls: readonly string[]; objects: readonly string[] }): Failure {
  const name = basename(policy.path);
  const missing = / object '?.*'? not found/u.test(words);
  const has = objects.length === 0 ? "has no firewall object" : `has the firewall objects ${objects.join(", ")}`;
  return new Failure({
    tried: `compile ${object} of ${name} by fwb_ipt`,
    seen: `${line === undefined ? "" : `${name}:${line}: `}${words}${missing ? `; the file ${has}` : ""}`,
    remedy: missing ? `Name the firewall objects as the lab's machines: ${firewalls.join(", ")} (${firewalls.map((firewall) => `/${scriptPath(firewall)}`).join(" and ")} are made of them)` : "Mend the policy in Firewall Builder, compile it there, and save it",
    exit: exitCode.usage,
    details: output.trim().split("\n").slice(-20),
  });
}

/** When the file was changed last, in seconds since the epoch. */
function lastChange(text: string): number {
  return Number(/<FWObjectDatabase\b[^>]*\blastModified="(?<seconds>[1-9]\d{8,9})"/u.exec(text)?.groups?.["seconds"] ?? undatedSeconds);
}

/**
 * Names of the objects of a kind, in the order of the file. Firewall Builder writes `<` and `>` of texts as entities, and no comments; whether a file is
 * well-formed is fwb_ipt's to say.
 */
function namesOf(text: string, element: "Firewall" | "Cluster"): string[] {
  return [...text.matchAll(new RegExp(`<${element}\\s(?:[^>]*\\s)?name="(?<name>[^"]*)"`, "gu"))].map(({ groups }) => unescaped(groups?.["name"] ?? ""));
}

function unescaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|apos|amp);/gu, (whole, name: string) => entities[name] ?? whole);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
