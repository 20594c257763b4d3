import type { Keepalived, Notify } from "../config/keepalived.ts";
import { fileAt, isExecutable, type NodeFile, type Place } from "../config/nodeFiles.ts";
import type { NodeConfig } from "../config/pair.ts";
import { valuesOf } from "../config/units.ts";
import type { Finding } from "../evidence/finding.ts";
import { lostStates, missingAt, tell, type Rule } from "./rule.ts";

/** Folders that only a tree fills: in the others, the guest's packages may have what the tree does not. */
const administrators = /^\/(?:etc|usr\/local|opt|root|srv|home)\//u;

/** All that keepalived runs when a state changes. */
export function notifiesOf(keepalived: Keepalived | undefined): Notify[] {
  if (keepalived === undefined) return [];
  return [...keepalived.globals.fifoScripts, ...keepalived.groups.flatMap(({ notifies }) => notifies), ...keepalived.instances.flatMap(({ notifies }) => notifies)];
}

interface Called {
  readonly path: string;
  /** Run by itself, and not read by an interpreter that is named. */
  readonly asProgram: boolean;
  readonly at: Place;
  readonly severity: Finding["severity"];
  readonly certainty: Finding["certainty"];
}

/** Where a shell takes a word for a command's name. */
const commandWord = /(?:^|[;&|(]|\b(?:then|do|else|exec|if|while|timeout\s+\S+|nohup|ip\s+vrf\s+exec\s+\S+)\s|(?:^|[;&|]\s*)(?:\.|sh|bash|\/bin\/sh|\/bin\/bash)\s)\s*(\/[\w./-]+)/gu;

/** Commands by absolute path that a script calls. What stands in a here-document is no command. */
function calledBy(script: NodeFile): Called[] {
  const called: Called[] = [];
  let end: string | undefined;
  for (const [index, text] of script.lines.entries()) {
    if (end !== undefined) {
      if (text.trim() === end) end = undefined;
      continue;
    }
    end = /<<-?\s*['"]?(\w+)['"]?/u.exec(text)?.[1];
    if (/^\s*#/u.test(text)) continue;
    for (const match of text.matchAll(commandWord)) {
      const asProgram = !/(?:\.|sh)\s*$/u.test(match[0].slice(0, match[0].lastIndexOf(match[1] ?? "")));
      called.push({ path: match[1] ?? "", asProgram, at: { file: script.file, line: index + 1 }, severity: "error", certainty: "likely" });
    }
  }
  return called;
}

/** The scripts of a tree that these commands run, and those that they run in turn. */
export function scriptsBehind(node: NodeConfig, paths: readonly string[]): NodeFile[] {
  const found: NodeFile[] = [];
  const open = [...paths];
  for (let path = open.shift(); path !== undefined; path = open.shift()) {
    const script = fileAt(node, path);
    if (script === undefined || found.includes(script)) continue;
    found.push(script);
    open.push(...calledBy(script).map((call) => call.path));
  }
  return found;
}

function callsOf(node: NodeConfig): Called[] {
  const notifies = notifiesOf(node.keepalived).flatMap(({ command: [program, ...args], file, line }) => {
    const interpreted = /\/(?:ba|da)?sh$/u.test(program);
    const shared = { at: { file, line }, severity: "error", certainty: "certain" } as const;
    return [{ ...shared, path: program, asProgram: true }, ...(interpreted ? args.filter((arg) => arg.startsWith("/")).slice(0, 1).map((path) => ({ ...shared, path, asProgram: false })) : [])];
  });
  const units = [...node.units.values()].flatMap((unit) =>
    ["ExecStartPre", "ExecStart", "ExecStartPost"].flatMap((key) =>
      valuesOf(unit.settings, "Service", key).flatMap(({ value, file, line }) => {
        const [, prefix = "", path] = /^([-@:+!]*)(\/\S+)/u.exec(value) ?? [];
        return path === undefined ? [] : [{ path, asProgram: true, at: { file, line }, severity: prefix.includes("-") ? ("hint" as const) : ("error" as const), certainty: "certain" as const }];
      }),
    ),
  );
  const scripts = scriptsBehind(node, [...notifies, ...units].map(({ path }) => path)).flatMap(calledBy);
  return [...notifies, ...units, ...scripts];
}

/** `script-missing`, `script-not-executable`, `script-interpreter`: what is to run can run. */
export const scriptsRun: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const seen = new Set<string>();
    return callsOf(node).flatMap(({ path, asProgram, at, severity, certainty }) => {
      const file = fileAt(node, path);
      const shared = { node, severity, certainty, explains: lostStates, causes: "it does not run: no state is committed at takeover, if that is its part" } as const;
      if (file === undefined) {
        if (!administrators.test(path) || seen.has(path)) return [];
        seen.add(path);
        return [tell({ ...shared, id: "script-missing", at, also: [missingAt(node, path)], wrong: `${path} is to run, and ${node.machine} does not get it`, remedy: `Put it in the tree, executable, or write the path that it has` })];
      }
      if (!asProgram || seen.has(path)) return [];
      seen.add(path);
      if (!isExecutable(file)) return [tell({ ...shared, id: "script-not-executable", at: { file: file.file, line: null }, also: [at], wrong: `${path} is to run, and is not executable`, remedy: `chmod +x ${file.file}` })];
      const [first = ""] = file.lines;
      const isScript = !file.binary && file.lines.length > 0;
      if (isScript && (!first.startsWith("#!") || file.content.subarray(0, 256).includes("\r"))) {
        return [
          tell({
            ...shared, id: "script-interpreter", at: { file: file.file, line: 1 }, also: [at], certainty: first.startsWith("#!") ? "certain" : "likely",
            wrong: first.startsWith("#!") ? `${path} ends its first line with a carriage return, which becomes part of its interpreter's name` : `${path} does not begin with #! and an interpreter`, remedy: first.startsWith("#!") ? "Save it with line feeds alone" : "Begin it with #!/bin/sh",
          }),
        ];
      }
      return [];
    });
  });

/** `script-user`: conntrackd's socket is root's. */
export const scriptUser: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const user = node.keepalived?.globals.scriptUser;
    if (user === undefined || user.value === "root" || user.value === "0") return [];
    const scripts = scriptsBehind(node, notifiesOf(node.keepalived).flatMap(({ command }) => [...command]));
    if (scripts.some(({ lines }) => lines.some((line) => /\b(?:sudo|doas)\b/u.test(line)))) return [];
    return [
      tell({
        id: "script-user", severity: "warning", certainty: "likely", node, at: user, wrong: `notify scripts run as ${user.value}`, causes: "conntrackd takes orders of root alone: no state is committed at takeover", remedy: "script_user root, or sudo in the script", explains: lostStates,
      }),
    ];
  });

/** `vrrp-strict`: what keepalived's strict mode does not allow. */
export const strictMode: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const strict = node.keepalived?.globals.strict;
    const unicast = node.keepalived?.instances.find(({ unicastPeers }) => unicastPeers.length > 0);
    if (strict === undefined || unicast === undefined) return [];
    return [tell({ id: "vrrp-strict", severity: "error", certainty: "likely", node, at: strict, also: [unicast.unicastPeers[0]], wrong: "vrrp_strict is set, and an instance has unicast peers", causes: `keepalived refuses ${unicast.name}`, remedy: "Take vrrp_strict away", explains: ["vips-moved", "steady-before"] })];
  });

/** `garp-off`: neighbours must learn at once where an address is now. */
export const gratuitousArp: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const { globals, instances = [] } = node.keepalived ?? {};
    const off = [globals?.garpRepeat, ...instances.map(({ garpRepeat }) => garpRepeat)].filter((repeat) => repeat?.value === 0);
    return off.flatMap((repeat) =>
      repeat === undefined
        ? []
        : [tell({ id: "garp-off", severity: "warning", certainty: "likely", node, at: repeat, wrong: `${node.machine} announces no virtual address that it takes over`, causes: "neighbours go on to send to the dead node until their entries expire", remedy: "Leave garp_master_repeat at 5", explains: ["vips-moved", "flows-survive", "outage-in-bound"] })],
    );
  });
