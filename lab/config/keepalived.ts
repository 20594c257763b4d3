import { readBlocks, type Statement, type SyntaxFault } from "./blocks.ts";
import { expandKeepalived } from "./keepalivedText.ts";
import type { NodeFile, NodeFiles, Place, Said } from "./nodeFiles.ts";

/** A script and its arguments, as keepalived starts it. */
export interface Notify extends Place {
  /** Its keyword: `notify_master`, `notify`, `vrrp_notify_fifo_script`, … */
  readonly kind: string;
  readonly line: number;
  /** The program's path, then its arguments. Never empty. */
  readonly command: readonly [string, ...string[]];
}

/** An address that an instance adds when it is master. */
export interface VirtualIp extends Place {
  readonly line: number;
  /** Without prefix. */
  readonly address: string;
  /** Undefined where none is written: then it is a host's (32 or 128). */
  readonly prefix: number | undefined;
  /** The interface after `dev`, else the instance's. */
  readonly interface: string | undefined;
  /** In virtual_ipaddress_excluded: held, but not told in adverts. */
  readonly excluded: boolean;
}

export interface VrrpInstance extends Place {
  readonly name: string;
  readonly line: number;
  readonly interface: Said<string> | undefined;
  readonly virtualRouterId: Said<number> | undefined;
  /** keepalived's default is 100. */
  readonly priority: Said<number> | undefined;
  readonly state: Said<string> | undefined;
  /** Seconds; the default is 1. */
  readonly advertInterval: Said<number> | undefined;
  readonly version: Said<number> | undefined;
  readonly nopreempt: Place | undefined;
  /** Seconds. */
  readonly preemptDelay: Said<number> | undefined;
  readonly authType: Said<string> | undefined;
  readonly authPass: Said<string> | undefined;
  readonly unicastSource: Said<string> | undefined;
  readonly unicastPeers: readonly Said<string>[];
  readonly multicastGroup: Said<string> | undefined;
  readonly virtualIps: readonly VirtualIp[];
  readonly vmac: Place | undefined;
  readonly trackedInterfaces: readonly Said<string>[];
  /** Interfaces whose `weight` turns a fault into a lower priority. */
  readonly weightedInterfaces: readonly Said<string>[];
  readonly notifies: readonly Notify[];
  readonly garpRepeat: Said<number> | undefined;
  readonly garpDelay: Said<number> | undefined;
  readonly accept: Said<boolean> | undefined;
}

export interface SyncGroup extends Place {
  readonly name: string;
  readonly line: number;
  readonly members: readonly Said<string>[];
  readonly notifies: readonly Notify[];
}

export interface KeepalivedGlobals {
  readonly routerId: Said<string> | undefined;
  /** keepalived's default is 2. */
  readonly vrrpVersion: Said<number> | undefined;
  readonly notifyFifo: Said<string> | undefined;
  readonly vrrpNotifyFifo: Said<string> | undefined;
  readonly fifoScripts: readonly Notify[];
  readonly scriptUser: Said<string> | undefined;
  readonly scriptSecurity: Place | undefined;
  /** Seconds. */
  readonly startupDelay: Said<number> | undefined;
  readonly garpRepeat: Said<number> | undefined;
  readonly garpDelay: Said<number> | undefined;
  readonly strict: Place | undefined;
  readonly multicastGroup: Said<string> | undefined;
  readonly networkNamespace: Said<string> | undefined;
}

/** What keepalived.conf says of VRRP. */
export interface Keepalived {
  /** The file, as its author knows it. */
  readonly file: string;
  readonly globals: KeepalivedGlobals;
  readonly groups: readonly SyncGroup[];
  readonly instances: readonly VrrpInstance[];
  readonly faults: readonly SyntaxFault[];
  /** Paths of the guest that it includes and that the trees do not hold. */
  readonly missingIncludes: readonly Said<string>[];
}

/** Reads keepalived.conf and all that it includes (keepalived.conf(5), keepalived 2.2). */
export function readKeepalived(node: NodeFiles, file: NodeFile): Keepalived {
  const { lines, missingIncludes } = expandKeepalived(node, file);
  const { statements, faults } = readBlocks(lines, { comments: "!#", continued: true });
  const named = (name: string): Statement[] => statements.filter(({ words, block }) => words[0]?.value === name && block !== undefined);
  const globals = named("global_defs").flatMap(({ block }) => block ?? []);
  return {
    file: file.file,
    globals: globalsOf(globals),
    groups: named("vrrp_sync_group").map(groupOf),
    instances: named("vrrp_instance").map(instanceOf),
    faults,
    missingIncludes,
  };
}

/** The last statement of this name: a later one replaces an earlier one. */
function last(statements: readonly Statement[], name: string): Statement | undefined {
  return statements.findLast(({ words }) => words[0]?.value === name);
}

function said<T>(statement: Statement | undefined, parse: (text: string) => T | undefined): Said<T> | undefined {
  const word = statement?.words[1];
  const value = word === undefined ? undefined : parse(word.value);
  return word === undefined || value === undefined ? undefined : { value, file: word.file, line: word.line };
}

const text = (value: string): string => value;

function number(value: string): number | undefined {
  const parsed = Number(value);
  return Number.isFinite(parsed) ? parsed : undefined;
}

function place(statement: Statement | undefined): Place | undefined {
  return statement === undefined ? undefined : { file: statement.file, line: statement.line };
}

function on(statement: Statement | undefined): Said<boolean> | undefined {
  if (statement === undefined) return undefined;
  return { value: !["off", "no", "false"].includes((statement.words[1]?.value ?? "on").toLowerCase()), file: statement.file, line: statement.line };
}

/** keepalived's keywords that name a script, in instances and in groups. */
const notifyKinds = ["notify", "notify_master", "notify_backup", "notify_fault", "notify_stop", "notify_deleted", "notify_master_rx_lower_pri"];

function notifiesOf(statements: readonly Statement[], kinds: readonly string[] = notifyKinds): Notify[] {
  return statements.flatMap((statement) => {
    const kind = statement.words[0]?.value ?? "";
    if (!kinds.includes(kind)) return [];
    // A quoted command has its arguments inside the quotes; outside, user and group follow. A block holds the command in words.
    const words = statement.block?.flatMap((inner) => inner.words) ?? statement.words.slice(1, 2);
    const [program, ...args] = words.flatMap(({ value }) => value.split(/\s+/u)).filter((word) => word !== "");
    return program === undefined ? [] : [{ kind, command: [program, ...args] as const, file: statement.file, line: statement.line }];
  });
}

function globalsOf(statements: readonly Statement[]): KeepalivedGlobals {
  const of = <T>(name: string, parse: (value: string) => T | undefined): Said<T> | undefined => said(last(statements, name), parse);
  return {
    routerId: of("router_id", text),
    vrrpVersion: of("vrrp_version", number),
    notifyFifo: of("notify_fifo", text),
    vrrpNotifyFifo: of("vrrp_notify_fifo", text),
    fifoScripts: notifiesOf(statements, ["notify_fifo_script", "vrrp_notify_fifo_script"]),
    scriptUser: of("script_user", text),
    scriptSecurity: place(last(statements, "enable_script_security")),
    startupDelay: of("vrrp_startup_delay", number),
    garpRepeat: of("vrrp_garp_master_repeat", number),
    garpDelay: of("vrrp_garp_master_delay", number),
    strict: place(last(statements, "vrrp_strict")),
    multicastGroup: of("vrrp_mcast_group4", text),
    networkNamespace: of("net_namespace", text) ?? said(last(statements, "vrrp_namespace"), text),
  };
}

function groupOf({ words, file, line, block = [] }: Statement): SyncGroup {
  const members = block.filter((statement) => statement.words[0]?.value === "group").flatMap((statement) => (statement.block ?? []).flatMap((inner) => inner.words));
  return { name: words[1]?.value ?? "", file, line, members, notifies: notifiesOf(block) };
}

function instanceOf({ words, file, line, block = [] }: Statement): VrrpInstance {
  const of = <T>(name: string, parse: (value: string) => T | undefined): Said<T> | undefined => said(last(block, name), parse);
  const inner = (name: string): Statement[] => block.filter((statement) => statement.words[0]?.value === name).flatMap((statement) => statement.block ?? []);
  const firstWords = (name: string): Said<string>[] => inner(name).flatMap((statement) => statement.words.slice(0, 1));
  const authentication = inner("authentication");
  // The later of the two holds.
  const preemption = block.findLast((statement) => ["nopreempt", "preempt"].includes(statement.words[0]?.value ?? ""));
  const weighted = inner("track_interface").filter((statement) => statement.words.some(({ value }, index) => value === "weight" && statement.words[index + 1]?.value !== "0"));
  return {
    name: words[1]?.value ?? "",
    file,
    line,
    interface: of("interface", text),
    virtualRouterId: of("virtual_router_id", number),
    priority: of("priority", number),
    state: of("state", (value) => value.toUpperCase()),
    advertInterval: of("advert_int", number),
    version: of("version", number),
    nopreempt: preemption?.words[0]?.value === "nopreempt" ? place(preemption) : undefined,
    preemptDelay: of("preempt_delay", number),
    authType: said(last(authentication, "auth_type"), text),
    authPass: said(last(authentication, "auth_pass"), text),
    unicastSource: of("unicast_src_ip", text),
    unicastPeers: firstWords("unicast_peer"),
    multicastGroup: of("mcast_dst_ip", text),
    virtualIps: [...inner("virtual_ipaddress").map((statement) => virtualIpOf(statement, false)), ...inner("virtual_ipaddress_excluded").map((statement) => virtualIpOf(statement, true))],
    vmac: place(last(block, "use_vmac") ?? last(block, "use_ipvlan")),
    trackedInterfaces: firstWords("track_interface"),
    weightedInterfaces: weighted.flatMap((statement) => statement.words.slice(0, 1)),
    notifies: notifiesOf(block),
    garpRepeat: of("garp_master_repeat", number),
    garpDelay: of("garp_master_delay", number),
    accept: on(last(block, "accept")) ?? invert(on(last(block, "no_accept"))),
  };
}

function invert(value: Said<boolean> | undefined): Said<boolean> | undefined {
  return value === undefined ? undefined : { ...value, value: !value.value };
}

function virtualIpOf({ words, file, line }: Statement, excluded: boolean): VirtualIp {
  const [address = "", prefix] = (words[0]?.value ?? "").split("/");
  const after = words.findIndex(({ value }) => value === "dev");
  return { address: address.toLowerCase(), prefix: prefix === undefined ? undefined : number(prefix), interface: after === -1 ? undefined : words[after + 1]?.value, excluded, file, line };
}
