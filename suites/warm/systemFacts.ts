import { tableOf, type Table } from "./facts.ts";

const linesOf = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");

/** Files by `find -printf '%y\t%m\t%U:%G\t%p\t%l\n'` and sha256sum(1): kind, mode, owner, and hash or target. A link's mode says nothing. */
export function fileTable(found: string, sums: string): Table {
  const hashes = new Map(linesOf(sums).map((line) => [line.slice(66), line.slice(0, 12)]));
  return tableOf(
    linesOf(found).map((line) => {
      const [kind = "", mode = "", owner = "", path = "", target = ""] = line.split("\t");
      if (kind === "l") return [path, `link of ${owner} to ${target}`];
      return [path, kind === "f" ? `file ${mode} of ${owner}, SHA-256 ${hashes.get(path) ?? "unknown"}…` : `${kind} ${mode} of ${owner}`];
    }),
  );
}

/** Users by passwd(5). */
export function userTable(text: string): Table {
  return tableOf(
    linesOf(text).map((line) => {
      const name = line.slice(0, line.indexOf(":"));
      return [name, line.slice(name.length + 1)];
    }),
  );
}

/** The name that the kernel has. */
export function hostnameTable(text: string): Table {
  return { hostname: text.trim() };
}

/** Settings by sysctl(8). */
export function sysctlTable(text: string): Table {
  return tableOf(
    linesOf(text).map((line) => {
      const [name = "", ...value] = line.split(" =");
      return [name, value.join(" =").trim().replaceAll("\t", " ")];
    }),
  );
}

/** Names out of /proc/modules. */
export function moduleTable(text: string): Table {
  return tableOf(linesOf(text).map((name) => [name, "loaded"]));
}

/** What is active, failed or under way, by `systemctl list-units --plain --no-legend`. Scopes and units of /run/systemd/transient come and go. */
export function unitTable(text: string): Table {
  const units = linesOf(text).map((line) => line.trim().split(/\s+/u));
  return tableOf(units.flatMap(([name = "", load = "", active = "", sub = ""]) => (/^(?:session-|run-[ru]).*\.(?:scope|service)$/u.test(name) ? [] : [[name, `${load} ${active} ${sub}`]])));
}

/** The first process's own settings, by `systemctl show`, without the moments and numbers of its life. */
export function managerTable(text: string): Table {
  const ofItsLife = /Timestamp|^(?:NNames|NJobs|NInstalledJobs|NFailedJobs|NFailedUnits|Progress)$/u;
  return tableOf(
    linesOf(text).flatMap((line) => {
      const name = line.slice(0, line.indexOf("="));
      return ofItsLife.test(name) ? [] : [[name, line.slice(name.length + 1)]];
    }),
  );
}

/** Levels of messages that the journal keeps. */
export function journalTable(text: string): Table {
  return Object.fromEntries([...new Set(linesOf(text))].sort().map((level) => [level, "kept"]));
}
