import type { NodeFile, NodeFiles, Said } from "../config/nodeFiles.ts";
import { readNetworks, type Network } from "../config/networks.ts";
import type { SandwichFiles } from "../config/sandwich.ts";
import { readSettings, type Setting } from "../config/units.ts";
import type { Finding } from "../evidence/finding.ts";
import { firewallOf, type SandwichTopology } from "../topology/sandwich.ts";
import { machineSpec } from "../topology/topology.ts";
import { covers } from "../topology/address.ts";
import { collected } from "./findings.ts";
import { tell } from "./rule.ts";

/** What a run shows when a machine has no way to the others. */
const nothingCarried = ["requests-answered", "both-carry", "flows-survive"] as const;

/** A machine of the sandwich's, with what its network files say. */
interface Node extends NodeFiles {
  readonly topology: SandwichTopology;
  readonly networks: readonly Network[];
  readonly vlans: readonly Vlan[];
}

/** A VLAN's interface. `id` is as the file says it. */
interface Vlan {
  readonly name: string;
  readonly id: Said<string>;
  readonly mtu: Said<number> | undefined;
}

type SandwichRule = (node: Node) => Finding[];

/** What no guest's checker sees in a sandwich's files: errors first, then by file and line. Pure. */
export function sandwichFindings({ topology, nodes }: SandwichFiles): Finding[] {
  const rules: readonly SandwichRule[] = [vlanIds, mtusFit, realServersReached, marksLookedUp];
  return collected(nodes.map((node) => ({ ...node, topology, networks: readNetworks(node), vlans: vlansOf(node) })).flatMap((node) => rules.flatMap((rule) => rule(node))));
}

function vlansOf({ files }: NodeFiles): Vlan[] {
  return files
    .filter(({ path, binary }) => path.endsWith(".netdev") && !binary)
    .flatMap((file) => {
      const settings = readSettings(file);
      const of = (section: string, key: string): Setting | undefined => settings.findLast((setting) => setting.section === section && setting.key === key);
      const [name, id, mtu] = [of("NetDev", "Name"), of("VLAN", "Id"), of("NetDev", "MTUBytes")];
      return name === undefined || id === undefined ? [] : [{ name: name.value, id, mtu: mtu === undefined ? undefined : bytesOf(mtu) }];
    });
}

/** A size as systemd writes it: bytes, or with K. Undefined for what is none. */
function bytesOf(setting: Setting): Said<number> | undefined {
  const [, number, unit] = /^(\d+)\s*(K?)$/u.exec(setting.value) ?? [];
  return number === undefined ? undefined : { file: setting.file, line: setting.line, value: Number(number) * (unit === "K" ? 1_024 : 1) };
}

/** A VLAN's id is from 1 to 4094 (IEEE 802.1Q, 9.6), and the one that the lab's trunk carries. */
function vlanIds(node: Node): Finding[] {
  const expected = new Map<string, number>(machineSpec(node.topology, node.machine).nics.flatMap(({ name, vlan }) => (vlan === undefined ? [] : [[`${name}.${vlan}`, vlan] as const])));
  return node.vlans.flatMap(({ name, id }) => {
    const number = /^\d+$/u.test(id.value) ? Number(id.value) : Number.NaN;
    const told = { node, at: id, explains: nothingCarried, severity: "error", certainty: "certain" } as const;
    if (!(number >= 1 && number <= 4_094)) {
      return [tell({ ...told, id: "vlan-id", wrong: `${name} is to be VLAN ${id.value}, and an id is from 1 to 4094`, causes: "systemd-networkd ignores the line, and the interface is not made", remedy: `Say Id=${expected.get(name) ?? "N"}` })];
    }
    const wanted = expected.get(name);
    if (wanted === undefined || wanted === number) return [];
    return [tell({ ...told, id: "vlan-id", wrong: `${name} is VLAN ${number}, and its trunk carries ${wanted}`, causes: "what it sends reaches nobody, and it hears nothing", remedy: `Say Id=${wanted}` })];
  });
}

/** A VLAN's frames have to fit the trunk under it. */
function mtusFit(node: Node): Finding[] {
  return node.vlans.flatMap((vlan) => {
    const trunk = node.networks.find(({ settings }) => settings.some(({ section, key, value }) => section === "Network" && key === "VLAN" && value.split(/\s+/u).includes(vlan.name)));
    const own = node.networks.find(({ names }) => names.some(({ value }) => value === vlan.name));
    const mtuOf = (network: Network | undefined): Said<number> | undefined => {
      const setting = network?.settings.findLast(({ section, key }) => section === "Link" && key === "MTUBytes");
      return setting === undefined ? undefined : bytesOf(setting);
    };
    const [under, over] = [mtuOf(trunk), mtuOf(own) ?? vlan.mtu];
    const [trunkBytes, vlanBytes] = [under?.value ?? usualMtu, over?.value ?? under?.value ?? usualMtu];
    const at = over ?? under;
    if (trunkBytes === vlanBytes || at === undefined) return [];
    const larger = vlanBytes > trunkBytes;
    return [
      tell({
        ...{ node, at, also: [under], explains: larger ? nothingCarried : [], id: "mtu-differs", severity: larger ? "error" : "warning", certainty: larger ? "certain" : "possible" },
        wrong: `${vlan.name} has an MTU of ${vlanBytes} bytes, and the trunk under it ${trunkBytes}`,
        causes: larger ? "the kernel refuses a VLAN larger than its trunk, or drops what does not fit" : "segments of a full trunk's size do not fit the VLAN, and a path that hides its ICMP errors stalls",
        remedy: "Give both the same MTUBytes",
      }),
    ];
  });
}

/** Ethernet's payload (IEEE 802.3). */
const usualMtu = 1_500;

const ipvsFile = "/etc/ipvsadm.rules";

/** Direct routing changes a frame's MAC and nothing else, so a real server is on the director's own link; and it is a firewall's. */
function realServersReached(node: Node): Finding[] {
  const file = node.files.find(({ path, binary }) => path === ipvsFile && !binary);
  if (!node.topology.directors.includes(node.machine) || file === undefined) return [];
  const own = node.networks.flatMap(({ addresses }) => addresses.map(({ value }) => value));
  return matchesIn(file, /^\s*-a\s.*?-r\s+([\d.]+)(?::\d+)?(?=\s|$)/u).flatMap(({ value, ...at }) => {
    const told = { node, at: { ...at }, explains: nothingCarried, id: "real-server", severity: "error", certainty: "certain" } as const;
    if (!own.some((network) => covers(network, value))) {
      return [tell({ ...told, wrong: `the real server ${value} is in none of the director's networks (${own.join(", ")})`, causes: "direct routing needs it on the same link: what is given to it reaches nobody", remedy: "Name the firewall's address on the ingress side" })];
    }
    if (firewallOf(node.topology, value) !== undefined) return [];
    return [tell({ ...told, certainty: "likely", wrong: `the real server ${value} is no firewall's address, and none that moves between them`, causes: "nobody answers there, and its share of the connections is lost", remedy: "Name an address of a firewall's, or one that VRRP gives them" })];
  });
}

/** A mark by which packets are to find their way is looked up in a table, and the table has a way. */
function marksLookedUp(node: Node): Finding[] {
  if (!node.topology.directors.includes(node.machine) && node.machine !== node.topology.router) return [];
  const rules = node.networks.flatMap(({ settings }) => policyRules(settings));
  const tables = new Set(node.networks.flatMap(({ routes }) => routes.flatMap(({ table, destination }) => (table !== undefined && isDefault(destination?.value) ? [table.value] : []))));
  const marks = new Map(node.files.filter(({ path, binary }) => !binary && /^\/etc\/(?:iptables\/|nftables)/u.test(path)).flatMap((file) => matchesIn(file, markSet)).map((mark) => [Number(mark.value), mark] as const));
  return [...marks].flatMap(([number, { file, line }]) => {
    const rule = rules.find(({ mark }) => mark === number);
    const told = { node, at: { file, line }, explains: ["same-way-back", ...nothingCarried], id: "mark-without-table", severity: "error", certainty: "certain" } as const;
    if (rule === undefined) {
      return [tell({ ...told, wrong: `packets get mark ${number}, and no routing rule asks for it`, causes: "they go the way that they would have gone without it", remedy: `Add [RoutingPolicyRule] FirewallMark=${number} with a Table=` })];
    }
    if (rule.table !== undefined && tables.has(rule.table.value)) return [];
    return [tell({ ...told, also: [rule.table], wrong: `mark ${number} is looked up in table ${rule.table?.value ?? "254"}, which has no default route`, causes: "they go the way that they would have gone without it", remedy: "Add a [Route] with Destination=0.0.0.0/0 and that Table=" })];
  });
}

/** A mark that is set: iptables' MARK and CONNMARK, nft's `meta mark set` and `ct mark set`, with a number. */
const markSet = /(?:--set-x?mark|(?:meta|ct) mark set)\s+(0x[\da-f]+|\d+)/iu;

function isDefault(destination: string | undefined): boolean {
  return destination === undefined || /^(?:0\.0\.0\.0|::)\/0$/u.test(destination);
}

interface PolicyRule {
  readonly mark: number;
  readonly table: Setting | undefined;
}

/** Sections [RoutingPolicyRule] with a mark (systemd.network(5)). */
function policyRules(settings: readonly Setting[]): PolicyRule[] {
  const sections: Setting[][] = [];
  for (const setting of settings) {
    if (setting.key === "") sections.push([]);
    if (setting.section === "RoutingPolicyRule") sections.at(-1)?.push(setting);
  }
  return sections.flatMap((section) => {
    const mark = section.find(({ key }) => key === "FirewallMark");
    return mark === undefined ? [] : [{ mark: Number(mark.value.split("/")[0]), table: section.find(({ key }) => key === "Table") }];
  });
}

function matchesIn({ file, lines }: NodeFile, pattern: RegExp): Said<string>[] {
  return lines.flatMap((text, index) => {
    const value = /^\s*#/u.test(text) ? undefined : pattern.exec(text)?.[1];
    return value === undefined ? [] : [{ file, line: index + 1, value }];
  });
}
