import { posix } from "node:path";
import { fileAt, resolvePath } from "../config/nodeFiles.ts";
import type { NodeConfig } from "../config/pair.ts";
import type { Finding } from "../evidence/finding.ts";
import { notifiesOf, scriptsBehind } from "./notifyScripts.ts";
import { lostStates, tell, type Rule } from "./rule.ts";

/** conntrackd's own, where its configuration names none. */
const defaultLock = "/var/lock/conntrackd.lock";

/** Folders of the guest that are there before conntrackd starts. */
const guestFolders = ["/run", "/run/lock", "/tmp", "/var/tmp", "/var/lib", "/var", "/etc", "/etc/conntrackd", "/root", "/dev/shm"];

function scriptsOf(node: NodeConfig) {
  const notify = scriptsBehind(node, notifiesOf(node.keepalived).flatMap(({ command }) => [...command]));
  return [...notify, ...(node.units.get("conntrackd.service")?.files ?? [])];
}

/** `lock-file-differs`, `lock-file-folder`: after a crash a lock is left, and what takes it away must know where it is. */
export const lockFile: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    if (node.conntrackd === undefined) return [];
    const said = node.conntrackd.lockFile;
    const lock = resolvePath(node, said?.value ?? defaultLock);
    const findings: Finding[] = scriptsOf(node).flatMap(({ file, lines }) =>
      lines.flatMap((text, index) => {
        if (/^\s*[#;]/u.test(text)) return [];
        return [...text.matchAll(/\/[\w./-]*conntrack[\w.-]*\.?lock\b/gu)]
          .filter(([path]) => resolvePath(node, path) !== lock)
          .map(([path]) =>
            tell({
              id: "lock-file-differs", severity: "warning", certainty: "likely", node, at: { file, line: index + 1 }, also: [said], wrong: `${path} is not where conntrackd's lock is, ${said?.value ?? defaultLock}`,
              causes: "a lock that a crash leaves is not taken away, and conntrackd does not start again", remedy: `Write ${said?.value ?? defaultLock}`, explains: ["replicated-before", "state-on-survivor", "flows-survive"],
            }),
          );
      }),
    );
    const folder = posix.dirname(lock);
    const made = node.files.some(({ path }) => path.startsWith(`${folder}/`)) || node.files.some(({ path, lines }) => /tmpfiles\.d\/|systemd\/system\//u.test(path) && lines.some((line) => line.includes(folder) || line.includes(`Directory=${posix.basename(folder)}`)));
    if (said !== undefined && !guestFolders.includes(folder) && !made) {
      findings.push(tell({ id: "lock-file-folder", severity: "error", certainty: "likely", node, at: said, wrong: `nothing makes the folder ${folder} of conntrackd's lock`, causes: "conntrackd does not start", remedy: `LockFile ${defaultLock}`, explains: lostStates }));
    }
    return findings;
  });

/** `script-config-differs`: orders reach the daemon by the socket that its configuration names. */
export const scriptConfig: Rule = ({ nodes }) =>
  nodes.flatMap((node) => {
    const daemon = resolvePath(node, node.conntrackdPath);
    return scriptsBehind(node, notifiesOf(node.keepalived).flatMap(({ command }) => [...command])).flatMap(({ file, lines }) =>
      lines.flatMap((text, index) => {
        const path = /^\s*#/u.test(text) ? undefined : /(?:CONNTRACKD_CONFIG=|\bconntrackd\s+-C\s+)["']?(\/[\w./-]+)/u.exec(text)?.[1];
        if (path === undefined || resolvePath(node, path) === daemon) return [];
        const isThere = fileAt(node, path) !== undefined;
        return [
          tell({
            id: "script-config-differs", severity: isThere ? "hint" : "error", certainty: "likely", node, at: { file, line: index + 1 }, wrong: `the script gives its orders by ${path}, and the daemon reads ${node.conntrackdPath}`,
            causes: isThere ? "its orders reach the daemon only if both name the same socket" : "none of its orders reaches the daemon: no state is committed", remedy: `Write ${node.conntrackdPath}`, explains: isThere ? [] : lostStates,
          }),
        ];
      }),
    );
  });
