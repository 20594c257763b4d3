import { describe, expect, test } from "vitest";
import type { LabEvent } from "../evidence/event.ts";
import { Failure } from "../failure/failure.ts";
import { parseAddressChange } from "./addressWatch.ts";
import { daemonJournalCommand, parseDaemonJournal } from "./daemonJournal.ts";
import { parseForwardingChanges } from "./forwardingChanges.ts";
import { recorded } from "./recorded.ts";

const told = { where: "fw-2", clock: "fw-2/realtime", source: "journals/failover-after/fw-2.jsonl" };
/** Events without what is the same for all of them, and their words. */
const brief = (events: readonly LabEvent[]): Record<string, unknown>[] =>
  events.map((event) => Object.fromEntries(Object.entries(event).filter(([key]) => !["where", "clock", "source", "text"].includes(key))));

/** A row of journalctl's, sent at `us` and taken in 9 ms later. */
const row = (us: number, identifier: string, message: unknown, source = true) =>
  JSON.stringify({ __REALTIME_TIMESTAMP: String(us + 9000), ...(source && { _SOURCE_REALTIME_TIMESTAMP: String(us) }), SYSLOG_IDENTIFIER: identifier, _PID: "7", MESSAGE: message });

describe("the daemons' journal", () => {
  test("a takeover as it was recorded: states of both instances, and one commit, though conntrackd logs it twice", () => {
    const events = parseDaemonJournal(recorded("daemon-journal"), told);
    expect(brief(events)).toEqual([
      { kind: "vrrp-state", atMs: 1_795_213_564_264.113, instance: "inside", state: "MASTER" },
      { kind: "vrrp-state", atMs: 1_795_213_564_293.964, instance: "outside", state: "MASTER" },
      { kind: "commit", stage: "began", atMs: 1_795_213_564_353.365 },
      { kind: "commit", stage: "ended", atMs: 1_795_213_564_361.281, entries: 7 },
    ]);
    expect(events[0]).toMatchObject({ ...told, text: "Keepalived_vrrp[163]: (inside) Entering MASTER STATE" });
  });

  test("without syslog's words, those of standard output count, at the time when the journal got them", () => {
    const rows = recorded("daemon-journal")
      .split("\n")
      .filter((line) => !line.includes("conntrack-tools"));
    const commits = parseDaemonJournal(rows.join("\n"), told).filter(({ kind }) => kind === "commit");
    expect(brief(commits)).toEqual([
      { kind: "commit", stage: "began", atMs: 1_795_213_564_361.443 },
      { kind: "commit", stage: "ended", atMs: 1_795_213_564_361.443, entries: 7 },
    ]);
  });

  test("older keepalived's wording, FAULT, and messages that are no text", () => {
    const text = [row(1e15, "Keepalived_vrrp", "VRRP_Instance(VI_1) Entering FAULT STATE"), row(2e15, "conntrack-tools", [99, 111, 255]), row(3e15, "conntrackd", null)].join("\n");
    expect(brief(parseDaemonJournal(text, told))).toEqual([{ kind: "vrrp-state", atMs: 1e12, instance: "VI_1", state: "FAULT" }]);
  });

  test("several commits keep their own counts; one that never ended stays begun", () => {
    const words = ["committing all external caches", "Committed 3 new entries", "Committed 2 new entries", "commit has taken 0.1 seconds", "committing all external caches", "commit has taken 0.1 seconds", "committing all external caches"];
    const events = parseDaemonJournal(words.map((word, index) => row(1e15 + index * 1000, "conntrack-tools", word)).join("\n"), told);
    expect(brief(events).map(({ entries, stage }) => entries ?? stage)).toEqual(["began", 5, "began", "ended", "began"]);
  });

  test("an empty journal tells nothing; one of another form is refused", () => {
    expect(parseDaemonJournal("", told)).toEqual([]);
    expect(() => parseDaemonJournal("-- Journal begins at Fri --\n", told)).toThrow(Failure);
    expect(() => parseDaemonJournal('{"MESSAGE":"x"}', told)).toThrow(/journalctl/u);
  });

  test("the command asks from a moment on, when there is one", () => {
    expect(daemonJournalCommand(1_795_213_564_264.113)).toContain(" --since=@1795213564.264113 ");
    expect(daemonJournalCommand(undefined)).not.toContain("--since");
  });
});

describe("addresses as the kernel tells them", () => {
  const watch = (text: string) => parseAddressChange(text, { ...told, source: "events/fw-2.addresses.txt" });

  test("those of a failover and a failback, as recorded", () => {
    const events = recorded("address-watch")
      .trim()
      .split("\n")
      .flatMap((line) => watch(line) ?? []);
    expect(brief(events)).toEqual([
      { kind: "address", atMs: 1_795_213_564_269.865, address: "192.168.0.100", nic: "eth1", change: "added" },
      { kind: "address", atMs: 1_795_213_564_294.469, address: "192.168.1.100", nic: "eth0", change: "added" },
      { kind: "address", atMs: 1_795_213_616_882.085, address: "192.168.1.100", nic: "eth0", change: "removed" },
      { kind: "address", atMs: 1_795_213_616_922.586, address: "192.168.0.100", nic: "eth1", change: "removed" },
    ]);
  });

  test("over IPv6: usable once nobody else was found to have it, never when somebody has it, and at once where VRRP gives it without asking", () => {
    const events = recorded("address-watch-ipv6")
      .trim()
      .split("\n")
      .flatMap((line) => watch(line) ?? []);
    expect(events.map(({ address, change }) => `${address} ${change}`)).toEqual([
      ...["2001:db8:9::1 tentative", "2001:db8:9::1 added", "2001:db8:9::1 removed"],
      ...["2001:db8:168:1::2 tentative", "2001:db8:168:1::2 tentative", "2001:db8:168:1::2 removed"],
      ...["2001:db8:168:1::100 added", "2001:db8:168::100 added", "2001:db8:168:1::100 removed", "2001:db8:168::100 removed"],
    ]);
  });

  test("a VLAN's name, a label, IPv6; a line of another kind is none", () => {
    expect(watch("[2026-11-20T22:20:35.067644] 2: eth1.162@eth1    inet 10.0.0.1/32 scope global eth1:vip\\       valid_lft forever")).toMatchObject({ nic: "eth1.162", address: "10.0.0.1" });
    expect(watch("[2026-11-20T22:20:35.068877] 2: d0    inet6 fd00::1/64 scope global tentative \\       valid_lft forever")).toMatchObject({ address: "fd00::1", atMs: 1_795_213_235_068.877, change: "tentative" });
    expect(watch("Cannot talk to rtnetlink")).toBeUndefined();
  });
});

describe("what bridges learn and forget", () => {
  const parsed = parseForwardingChanges(recorded("forwarding-monitor"), ["br0", "br1", "br2"], "events/forwarding.txt");

  test("a whole run as recorded: the dead firewall's MACs go with its taps, and come back with it", () => {
    expect(parsed.unknown).toEqual([]);
    expect(parsed.events.filter(({ where, mac }) => where === "br0" && mac === "52:54:00:f1:02:00").map(({ atMs, port, change }) => [new Date(atMs).toISOString(), port, change])).toEqual([
      ["2026-11-20T22:06:03.371Z", "fw-1.eth0", "learned"],
      ["2026-11-20T22:06:20.556Z", "fw-1.eth0", "forgotten"],
      ["2026-11-20T22:06:41.226Z", "fw-1.eth0", "learned"],
    ]);
    expect(parsed.events[0]).toMatchObject({ clock: "host-epoch", atMs: expect.closeTo(1_795_212_363_371.903, 3) as number });
  });

  test("the management bridge is left out, permanent entries too; other lines are told apart", () => {
    expect(parsed.events.some(({ where }) => where === "mgmt")).toBe(false);
    const text = "Timestamp: Fri Nov 20 22:20:15 2026 914677 usec\nDeleted ae:e6:db:ac:a7:12 dev b0 master br0 permanent\nRTNETLINK answers: No buffer space available\n";
    expect(parseForwardingChanges(text, ["br0"], "x")).toEqual({ events: [], unknown: ["RTNETLINK answers: No buffer space available"] });
  });
});
