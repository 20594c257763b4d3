import { posix } from "node:path";
import { globExpression } from "./glob.ts";
import type { NodeFile, NodeFiles, Said } from "./nodeFiles.ts";
import { readSettings, type Setting } from "./units.ts";

export interface Route {
  readonly gateway: Said<string> | undefined;
  /** Network with prefix; undefined is the default route. */
  readonly destination: Said<string> | undefined;
  readonly table: Said<string> | undefined;
  /** Where its section, or its line, begins. */
  readonly file: string;
  readonly line: number;
}

/** One .network file of systemd-networkd, with its drop-ins. */
export interface Network {
  readonly file: string;
  /** Names or patterns of `[Match] Name=`; empty matches by something else. */
  readonly names: readonly Said<string>[];
  /** With prefix. */
  readonly addresses: readonly Said<string>[];
  readonly routes: readonly Route[];
  readonly vrf: Said<string> | undefined;
  readonly settings: readonly Setting[];
}

const folders = ["/usr/lib/systemd/network", "/lib/systemd/network", "/usr/local/lib/systemd/network", "/run/systemd/network", "/etc/systemd/network"];

/** The .network files that the trees hold, in the order in which networkd looks for the first that matches (systemd.network(5)). */
export function readNetworks({ files }: NodeFiles): Network[] {
  const byName = new Map<string, NodeFile>();
  for (const folder of folders) for (const file of files) if (globExpression(`${folder}/*.network`).test(file.path)) byName.set(posix.basename(file.path), file);
  return [...byName]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, file]) => {
      const dropIns = files.filter(({ path }) => folders.some((folder) => globExpression(`${folder}/${name}.d/*.conf`).test(path)));
      return networkOf(file.file, [file, ...dropIns.toSorted((a, b) => (posix.basename(a.path) < posix.basename(b.path) ? -1 : 1))].flatMap(readSettings));
    });
}

function networkOf(file: string, settings: Setting[]): Network {
  const of = (section: string, key: string): Setting[] => settings.filter((setting) => setting.section === section && setting.key === key && setting.value !== "");
  const inNetwork = of("Network", "Gateway").map((gateway) => ({ gateway, destination: undefined, table: undefined, file: gateway.file, line: gateway.line }));
  return {
    file,
    names: of("Match", "Name").flatMap((name) => name.value.split(/\s+/u).map((value) => ({ ...name, value }))),
    addresses: [...of("Network", "Address"), ...of("Address", "Address")],
    routes: [...inNetwork, ...sections(settings, "Route").map(routeOf)],
    vrf: of("Network", "VRF")[0],
    settings,
  };
}

/** The settings of each section of this name; a reading marks where one begins by a setting without key. */
function sections(settings: readonly Setting[], name: string): Setting[][] {
  const found: Setting[][] = [];
  for (const setting of settings) {
    if (setting.section !== name) continue;
    if (setting.key === "") found.push([]);
    found.at(-1)?.push(setting);
  }
  return found;
}

function routeOf(settings: readonly Setting[]): Route {
  const of = (key: string): Setting | undefined => settings.findLast((setting) => setting.key === key && setting.value !== "");
  const destination = of("Destination");
  const isDefault = destination === undefined || destination.value === "0.0.0.0/0" || destination.value === "::/0";
  return { gateway: of("Gateway"), destination: isDefault ? undefined : destination, table: of("Table"), file: settings[0]?.file ?? "", line: settings[0]?.line ?? 1 };
}

/** The file that networkd uses for an interface: the first whose `Name=` matches. */
export function networkFor(networks: readonly Network[], nic: string): Network | undefined {
  return networks.find(({ names }) => names.some(({ value }) => !value.startsWith("!") && globExpression(value).test(nic)));
}
