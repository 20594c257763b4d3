import { fileAt, type NodeFiles } from "../config/nodeFiles.ts";

/** A service that a boot starts, and the command lines that it begins with. */
export interface StartedService {
  readonly name: string;
  readonly commands: readonly string[];
}

/** Programs that change packet rules, as command lines and scripts name them. */
const ruleProgram = /(?:^|[\s/;&|("'=])(?:nft|ip6?tables(?:-nft)?(?:-restore)?|ipset|netfilter-persistent|fwbuilder|ferm|shorewall6?)(?=$|[\s;&|)"'])/u;

/** Daemons whose services do more than load rules: nothing of them is to start here. */
const daemons = /(?:^|\/)(?:keepalived|conntrackd|sshd|systemd-networkd|systemd-udevd)(?:\s|$)/u;

/** The answer of `systemctl show -p Id -p ExecStartPre -p ExecStart -p ExecStartPost UNIT…`: one paragraph a unit. Source: systemctl(1). */
export function parseServices(text: string): StartedService[] {
  return text.split(/\n\n+/u).flatMap((paragraph) => {
    const name = /^Id=(.+\.service)$/mu.exec(paragraph)?.[1];
    const commands = [...paragraph.matchAll(/^ExecStart(?:Pre|Post)?=\{ path=\S+ ; argv\[\]=(.*?) ; ignore_errors=/gmu)].map(([, command = ""]) => command);
    return name === undefined || commands.length === 0 ? [] : [{ name, commands }];
  });
}

/** Those of the services that load packet rules: by a program of netfilter's, or by a script of the tree's that names one. */
export function rulesetServices(services: readonly StartedService[], node: NodeFiles): string[] {
  return services
    .filter(({ commands }) => !commands.some((command) => daemons.test(command)))
    .filter(({ commands }) => commands.some((command) => ruleProgram.test(command) || command.split(/\s+/u).some((word) => word.startsWith("/") && speaksOfRules(node, word))))
    .map(({ name }) => name);
}

function speaksOfRules(node: NodeFiles, path: string): boolean {
  const file = fileAt(node, path);
  return file !== undefined && !file.binary && file.lines.some((line, index) => (index === 0 || !/^\s*#/u.test(line)) && ruleProgram.test(line));
}
