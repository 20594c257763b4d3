import { logicalLines, readBlocks, type Statement, type SyntaxFault, type Word } from "./blocks.ts";
import type { NodeFile, Place, Said } from "./nodeFiles.ts";

export type SyncMode = "FTFW" | "NOTRACK" | "ALARM";
export type TransportKind = "Multicast" | "UDP" | "TCP";

/** One dedicated link of the replication. */
export interface Transport extends Place {
  readonly line: number;
  readonly kind: TransportKind;
  /** The one that is used first; without the word anywhere, the first one is. */
  readonly isDefault: boolean;
  /** Multicast group's address, with `IPv4_address`/`IPv6_address`; of UDP and TCP, the address to listen on. */
  readonly address: Said<string> | undefined;
  /** The node's own address on the link, of Multicast. */
  readonly ownAddress: Said<string> | undefined;
  /** Where UDP and TCP send to. */
  readonly destination: Said<string> | undefined;
  /** Multicast's `Group`, which is its UDP port, or UDP's and TCP's `Port`. */
  readonly port: Said<number> | undefined;
  readonly interface: Said<string> | undefined;
  readonly checksum: Said<boolean> | undefined;
}

/** `Protocol Accept { … }` and the like. */
export interface FilterList extends Place {
  readonly line: number;
  readonly accept: boolean;
  /** Upper case for protocols and states; addresses with their prefix where they have one. */
  readonly values: readonly Said<string>[];
}

/** What conntrackd.conf says (conntrackd.conf(5), conntrack-tools 1.4.7). */
export interface Conntrackd {
  readonly file: string;
  readonly mode: Said<SyncMode> | undefined;
  readonly transports: readonly Transport[];
  readonly disableExternalCache: Said<boolean> | undefined;
  readonly disableInternalCache: Said<boolean> | undefined;
  readonly startupResync: Said<boolean> | undefined;
  /** Seconds; the default is 60. */
  readonly purgeTimeout: Said<number> | undefined;
  readonly commitTimeout: Said<number> | undefined;
  readonly resendQueueSize: Said<number> | undefined;
  readonly tcpWindowTracking: Said<boolean> | undefined;
  readonly hashSize: Said<number> | undefined;
  readonly hashLimit: Said<number> | undefined;
  readonly lockFile: Said<string> | undefined;
  readonly unixPath: Said<string> | undefined;
  readonly netlinkBufferSize: Said<number> | undefined;
  readonly eventsReliable: Said<boolean> | undefined;
  readonly protocols: readonly FilterList[];
  readonly addresses: readonly FilterList[];
  readonly states: readonly FilterList[];
  /** There is a block Sync at all: without one it only counts. */
  readonly synchronises: boolean;
  readonly faults: readonly SyntaxFault[];
}

/** Reads conntrackd.conf. A newline is a blank to it, so several settings may stand on one line. */
export function readConntrackd(file: NodeFile): Conntrackd {
  const { statements, faults } = readBlocks(logicalLines(file, false), { comments: "#" });
  const sync = contentOf(statements, "Sync");
  const general = contentOf(statements, "General");
  const mode = named(sync, "Mode")[0];
  const modeBlock = mode?.block ?? [];
  const options = [...contentOf(sync, "Options"), ...modeBlock];
  const filter = [...contentOf(general, "Filter"), ...contentOf(sync, "Filter")];
  return {
    file: file.file,
    mode: modeOf(mode),
    transports: (["Multicast", "UDP", "TCP"] as const).flatMap((kind) => named(sync, kind).map((block) => transportOf(kind, block))).toSorted((a, b) => a.line - b.line),
    disableExternalCache: flag(modeBlock, "DisableExternalCache"),
    disableInternalCache: flag(modeBlock, "DisableInternalCache"),
    startupResync: flag(modeBlock, "StartupResync"),
    purgeTimeout: number(modeBlock, "PurgeTimeout"),
    commitTimeout: number(modeBlock, "CommitTimeout"),
    resendQueueSize: number(modeBlock, "ResendQueueSize"),
    tcpWindowTracking: flag(options, "TCPWindowTracking"),
    hashSize: number(general, "HashSize"),
    hashLimit: number(general, "HashLimit"),
    lockFile: said(general, "LockFile"),
    unixPath: said(contentOf(general, "UNIX"), "Path"),
    netlinkBufferSize: number(general, "NetlinkBufferSize"),
    eventsReliable: flag(general, "NetlinkEventsReliable"),
    protocols: listsOf(filter, "Protocol"),
    addresses: [...listsOf(filter, "Address"), ...ignoredTraffic(general)],
    states: listsOf(filter, "State"),
    synchronises: named(statements, "Sync").length > 0,
    faults,
  };
}

/** Statements that hold the word `name`; where several settings share a line, it need not be the first. */
function named(statements: readonly Statement[], name: string): Statement[] {
  return statements.filter(({ words }) => words[0]?.value === name);
}

/** All that stands in the blocks of this name. */
function contentOf(statements: readonly Statement[], name: string): Statement[] {
  return statements.filter(({ words, block }) => block !== undefined && words.some(({ value }) => value === name)).flatMap(({ block }) => block ?? []);
}

function wordAfter(statements: readonly Statement[], name: string): Word | undefined {
  for (const { words } of statements.toReversed()) {
    // Settings come in pairs, and a value may look like a name.
    const at = words.findIndex(({ value }, index) => value === name && (index % 2 === 0 || words.length % 2 === 1));
    if (at !== -1 && words[at + 1] !== undefined) return words[at + 1];
  }
  return undefined;
}

function said(statements: readonly Statement[], name: string): Said<string> | undefined {
  return wordAfter(statements, name);
}

function number(statements: readonly Statement[], name: string): Said<number> | undefined {
  const word = wordAfter(statements, name);
  const value = Number(word?.value);
  return word === undefined || !Number.isFinite(value) ? undefined : { ...word, value };
}

function flag(statements: readonly Statement[], name: string): Said<boolean> | undefined {
  const word = wordAfter(statements, name);
  return word === undefined ? undefined : { ...word, value: ["on", "yes"].includes(word.value.toLowerCase()) };
}

function modeOf(statement: Statement | undefined): Said<SyncMode> | undefined {
  const word = statement?.words[1];
  const value = word?.value.toUpperCase();
  return word === undefined || (value !== "FTFW" && value !== "NOTRACK" && value !== "ALARM") ? undefined : { ...word, value };
}

function transportOf(kind: TransportKind, { words, file, line, block = [] }: Statement): Transport {
  const either = (...names: string[]): Said<string> | undefined => names.map((name) => said(block, name)).find((found) => found !== undefined);
  return {
    kind,
    file,
    line,
    isDefault: words.some(({ value }) => value.toLowerCase() === "default"),
    address: either("IPv4_address", "IPv6_address"),
    ownAddress: either("IPv4_interface", "IPv6_interface"),
    destination: either("IPv4_Destination_Address", "IPv6_Destination_Address"),
    port: number(block, kind === "Multicast" ? "Group" : "Port"),
    interface: either("Interface"),
    checksum: flag(block, "Checksum"),
  };
}

function listsOf(filter: readonly Statement[], name: string): FilterList[] {
  return named(filter, name).map(({ words, file, line, block = [] }) => {
    // `State Accept { ESTABLISHED CLOSED for TCP }`, `Address Ignore { IPv4_address … }`.
    const inner = block.flatMap((statement) => statement.words);
    const isAddress = name === "Address";
    const values = isAddress
      ? inner.filter((_, index) => /^IPv[46]_address$/u.test(inner[index - 1]?.value ?? ""))
      : inner.filter(({ value }, index) => value !== "for" && inner[index - 1]?.value !== "for").map((word) => ({ ...word, value: word.value.toUpperCase() }));
    return { file, line, accept: words[1]?.value.toLowerCase() === "accept", values };
  });
}

/** The older way to say it. */
function ignoredTraffic(general: readonly Statement[]): FilterList[] {
  return named(general, "IgnoreTrafficFor").map(({ file, line, block = [] }) => {
    const inner = block.flatMap((statement) => statement.words);
    return { file, line, accept: false, values: inner.filter((_, index) => /^IPv[46]_address$/u.test(inner[index - 1]?.value ?? "")) };
  });
}
