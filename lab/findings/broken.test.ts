import { describe, expect, test } from "vitest";
import { conntrackdConf, faultsAfter, keepalivedConf, notifyScript, put, replace, sysctlConf, take, type Edit } from "./brokenPair.fixture.ts";

const fw2 = "fw-2";
const wants = "/etc/systemd/system/multi-user.target.wants";
const client = "/etc/systemd/network/10-eth0.network";

const byTcp = unicast("TCP", "192.168.2.2", "192.168.2.1");

/** Name of the breakage, the findings' ids, their first place, and the edits. */
const breakages: [name: string, ids: string[], place: string, ...edits: Edit[]][] = [
  ["a VIP that nobody uses", ["vip-missing", "vip-unknown", "vips-differ"], "fw-2/etc/keepalived/keepalived.conf", replace(keepalivedConf, "192.168.1.100/24", "192.168.1.101/24", fw2)],
  ["a VIP missing on one side", ["vip-missing", "vips-differ"], "fw-2/etc/keepalived/keepalived.conf:32", replace(keepalivedConf, "\t\t192.168.0.100/24\n", "", fw2)],
  ["a VIP on the other side's interface", ["vip-interface"], "fw-1/etc/keepalived/keepalived.conf", replace(keepalivedConf, "192.168.1.100/24", "192.168.1.100/24 dev eth1")],
  ["an interface that is not there", ["interface-unknown"], "fw-2/etc/keepalived/keepalived.conf:34", replace(keepalivedConf, "interface eth1", "interface ens4", fw2)],
  ["another node's address", ["address-unknown"], "fw-2/etc/systemd/network/10-eth0.network:5", replace("/etc/systemd/network/10-eth0.network", "192.168.1.2/24", "192.168.1.1/24", fw2)],
  ["a VIP as a static address", ["vip-static"], "fw-2/etc/systemd/network/10-eth0.network:6", replace("/etc/systemd/network/10-eth0.network", "192.168.1.2/24\n", "192.168.1.2/24\nAddress=192.168.1.100/24\n", fw2)],
  ["virtual_router_id differs", ["vrid-differs"], "fw-2/etc/keepalived/keepalived.conf:24", replace(keepalivedConf, "virtual_router_id 10", "virtual_router_id 12", fw2)],
  ["one virtual_router_id twice on a link", ["vrid-clash"], "fw-2/etc/keepalived/keepalived.conf", replace(keepalivedConf, /$/u, "vrrp_instance spare {\n interface eth0\n virtual_router_id 10\n}\n", "fw-2")],
  ["advert_int differs, VRRPv3", ["advert-differs"], "fw-2/etc/keepalived/keepalived.conf:26", replace(keepalivedConf, /(outside \{[^}]*)advert_int 1/u, "$1advert_int 3", fw2)],
  ["VRRP's version differs", ["vrrp-version-differs"], "fw-2/etc/keepalived/keepalived.conf:3", replace(keepalivedConf, "vrrp_version 3", "vrrp_version 2", fw2)],
  ["passwords differ", ["auth-differs"], "fw-2/etc/keepalived/keepalived.conf", replace(keepalivedConf, "vrrp_version 3", "vrrp_version 2"), replace(keepalivedConf, "advert_int 1", "advert_int 1\n authentication {\n auth_type PASS\n auth_pass one\n }", "fw-1"), replace(keepalivedConf, "advert_int 1", "advert_int 1\n authentication {\n auth_type PASS\n auth_pass two\n }", fw2)],
  ["unicast on one side alone", ["unicast-differs"], "fw-2/etc/keepalived/keepalived.conf", replace(keepalivedConf, /(outside \{[^}]*)advert_int 1/u, "$1advert_int 1\n unicast_peer {\n 192.168.1.1\n }", fw2)],
  ["a unicast peer that is nobody", ["unicast-differs"], "fw-2/etc/keepalived/keepalived.conf", replace(keepalivedConf, /(outside \{[^}]*)advert_int 1/u, "$1advert_int 1\n unicast_peer {\n 192.168.1.9\n }", fw2), replace(keepalivedConf, /(outside \{[^}]*)advert_int 1/u, "$1advert_int 1\n unicast_peer {\n 192.168.1.2\n }", "fw-1")],
  ["equal priorities", ["priorities-equal"], "fw-2/etc/keepalived/keepalived.conf:25", replace(keepalivedConf, "priority 100", "priority 150", fw2)],
  ["priorities that cross", ["priorities-cross"], "fw-2/etc/keepalived/keepalived.conf:36", replace(keepalivedConf, /(inside \{[^}]*)priority 100/u, "$1priority 200", fw2)],
  ["nopreempt with the wrong initial state", ["nopreempt-ignored", "preempt-delay-ignored"], "fw-1/etc/keepalived/keepalived.conf:27", replace(keepalivedConf, "preempt_delay", "nopreempt\n\tpreempt_delay", "fw-1"), replace(keepalivedConf, "state BACKUP", "state MASTER", "fw-1")],
  ["preempt without delay", ["preempt-without-delay"], "fw-1/etc/keepalived/keepalived.conf:20", replace(keepalivedConf, "\tpreempt_delay 10\n", "", "fw-1")],
  ["no sync group", ["sync-group-missing", "notify-name"], "", replace(keepalivedConf, /vrrp_sync_group pair \{\s+group \{[^}]*\}\s+\}/u, "")],
  ["a sync group that leaves out a side", ["sync-group-missing"], "fw-2/etc/keepalived/keepalived.conf:14", replace(keepalivedConf, "\t\tinside\n", "", fw2)],
  ["a group of another name than the script's", ["notify-name"], "fw-2/etc/keepalived/notify:37", replace(keepalivedConf, "vrrp_sync_group pair", "vrrp_sync_group couple", fw2)],
  ["a member of the group that is not there", ["group-member-unknown", "sync-group-missing"], "fw-2/etc/keepalived/keepalived.conf:17", replace(keepalivedConf, "\t\tinside\n", "\t\tinsde\n", fw2)],
  ["no notify at all", ["notify-missing"], "fw-2/etc/keepalived/keepalived.conf", replace(keepalivedConf, /\tvrrp_notify_fifo\S* .*\n/u, "", fw2)],
  ["the notify script missing", ["script-missing"], "fw-2/etc/keepalived/keepalived.conf:10", take(notifyScript, fw2)],
  ["the notify script not executable", ["script-not-executable"], "fw-2/etc/keepalived/notify", { machine: fw2, path: notifyScript, change: (text) => text, mode: 0o644 }],
  ["what the notify script calls missing", ["script-missing"], "fw-2/etc/systemd/system/keepalived.service.d/50-pair.conf:6", take("/etc/keepalived/vip-gate", fw2)],
  ["a script from another system", ["script-interpreter"], "fw-2/etc/keepalived/notify:1", replace(notifyScript, "#!/bin/sh\n", "#!/bin/sh\r\n", fw2)],
  ["scripts of a user who may not", ["script-user"], "fw-2/etc/keepalived/keepalived.conf:4", replace(keepalivedConf, "script_user root", "script_user nobody", fw2)],
  ["commit missing", ["commit-missing"], "fw-1/etc/keepalived/notify", replace(notifyScript, /\tconntrackd_do -c .*\n/u, "")],
  ["flush before commit", ["flush-before-commit"], "fw-1/etc/keepalived/notify:14", replace(notifyScript, /(\tconntrackd_do -c .*\n)([\s\S]*)(\tconntrackd_do -f .*\n)/u, "$3$1$2")],
  ["no resync", ["resync-missing"], "fw-1/etc/keepalived/notify", replace(notifyScript, /\tconntrackd_do -R .*\n/u, "")],
  ["no bulk", ["bulk-missing"], "fw-1/etc/keepalived/notify", replace(notifyScript, /\tconntrackd_do -B .*\n/u, "")],
  ["resync before commit", ["resync-before-commit"], "fw-1/etc/keepalived/notify:14", replace(notifyScript, /(\tconntrackd_do -c .*\n)([\s\S]*)(\tconntrackd_do -R .*\n)/u, "$3$1$2")],
  ["no request as backup", ["request-missing"], "fw-1/etc/keepalived/notify", replace(notifyScript, /\tconntrackd_do -n .*\n/u, "")],
  ["gratuitous ARP off", ["garp-off"], "fw-2/etc/keepalived/keepalived.conf:3", replace(keepalivedConf, "vrrp_version 3", "vrrp_garp_master_repeat 0\nvrrp_version 3", fw2)],
  ["no block Sync", ["sync-missing"], "fw-2/etc/conntrackd/conntrackd.conf", replace(conntrackdConf, "Sync {", "Stats {", fw2)],
  ["modes differ", ["sync-differs"], "fw-2/etc/conntrackd/conntrackd.conf:3", replace(conntrackdConf, "Mode FTFW", "Mode NOTRACK", fw2)],
  ["groups differ", ["sync-differs"], "fw-2/etc/conntrackd/conntrackd.conf:8", replace(conntrackdConf, "Group 3780", "Group 3781", fw2)],
  ["multicast addresses differ", ["sync-differs"], "fw-2/etc/conntrackd/conntrackd.conf:7", replace(conntrackdConf, "225.0.0.50", "225.0.0.51", fw2)],
  ["sync on another interface", ["sync-differs", "sync-interface-wrong", "sync-link-shared"], "fw-2/etc/conntrackd/conntrackd.conf", replace(conntrackdConf, "Interface eth2", "Interface eth1", fw2)],
  ["the other node's address on the link", ["sync-interface-wrong"], "fw-2/etc/conntrackd/conntrackd.conf:9", replace(conntrackdConf, "IPv4_interface 192.168.2.2", "IPv4_interface 192.168.2.1", fw2)],
  ["UDP to the wrong address", ["sync-peer-wrong"], "fw-1/etc/conntrackd/conntrackd.conf", ...unicast("UDP", "192.168.2.9", "192.168.2.1")],
  ["TCP, whose channel to a dead node lives on", ["sync-channel-outlives-peer"], "fw-1/etc/conntrackd/conntrackd.conf:6", ...byTcp],
  ["TCP, whose channel is given up too late", ["sync-channel-outlives-peer"], "fw-2/etc/conntrackd/conntrackd.conf:6", ...byTcp, put("/etc/sysctl.d/70-channel.conf", "net.ipv4.tcp_retries2 = 6\n", "fw-1"), put("/etc/sysctl.d/70-channel.conf", "net.ipv4.tcp_retries2 = 7\n", fw2)],
  ["Address Ignore of a network", ["address-ignored"], "fw-2/etc/conntrackd/conntrackd.conf:42", replace(conntrackdConf, "IPv4_address 192.168.0.2", "IPv4_address 192.168.0.0/24", fw2)],
  ["UDP left out", ["protocol-not-replicated"], "fw-2/etc/conntrackd/conntrackd.conf:33", replace(conntrackdConf, "\t\t\tUDP\n", "", fw2)],
  ["ESTABLISHED left out", ["state-not-replicated"], "fw-2/etc/conntrackd/conntrackd.conf", replace(conntrackdConf, "Filter From Userspace {", "Filter From Userspace {\nState Accept { SYN_SENT TIME_WAIT for TCP }", fw2)],
  ["a cache too small", ["hash-limit-small"], "fw-2/etc/conntrackd/conntrackd.conf:19", replace(conntrackdConf, "HashLimit 131072", "HashLimit 4", fw2)],
  ["another lock than the daemon's", ["lock-file-differs"], "fw-2/etc/systemd/system/conntrackd.service.d/50-pair.conf:9", replace("/etc/systemd/system/conntrackd.service.d/50-pair.conf", "conntrackd.lock", "conntrack.lock", fw2)],
  ["a lock in a folder that is not there", ["lock-file-differs", "lock-file-folder"], "", replace(conntrackdConf, "/run/lock/", "/run/conntrackd/", fw2)],
  ["conntrackd not enabled", ["service-disabled"], "fw-2/etc/systemd/system/multi-user.target.wants/conntrackd.service", take(`${wants}/conntrackd.service`, fw2)],
  ["keepalived not enabled", ["service-disabled"], "fw-2/etc/systemd/system/multi-user.target.wants/keepalived.service", take(`${wants}/keepalived.service`, fw2)],
  ["the ruleset not enabled", ["service-disabled"], "fw-2/etc/systemd/system/sysinit.target.wants/nftables.service", take("/etc/systemd/system/sysinit.target.wants/nftables.service", fw2)],
  ["no forwarding", ["forwarding-off"], "fw-2/etc/sysctl.d/60-firewall.conf", replace(sysctlConf, "net.ipv4.ip_forward = 1\n", "", fw2)],
  ["no events", ["conntrack-events"], "fw-2/etc/sysctl.d/60-firewall.conf:7", replace(sysctlConf, "nf_conntrack_events = 1", "nf_conntrack_events = 0", fw2)],
  ["events from a listener alone, in no order", ["conntrack-events"], "fw-2/etc/sysctl.d/60-firewall.conf:7", replace(sysctlConf, "nf_conntrack_events = 1", "nf_conntrack_events = 2", fw2), replace("/etc/systemd/system/keepalived.service.d/50-pair.conf", "After=conntrackd.service\n", "", fw2)],
  ["a table too small", ["table-differs", "table-small"], "fw-2/etc/sysctl.d/60-firewall.conf:8", replace(sysctlConf, "65536", "16", fw2)],
  ["loose on one node", ["sysctls-differ"], "fw-2/etc/sysctl.d/60-firewall.conf:5", replace(sysctlConf, "tcp_loose = 0", "tcp_loose = 1", fw2)],
  ["settings before their module", ["sysctl-before-module"], "fw-2/etc/sysctl.d/60-firewall.conf:5", put("/etc/modules-load.d/firewall.conf", "nf_tables\n", fw2)],
  ["the client's way by a firewall's own address", ["return-path-not-by-vip"], "client/etc/systemd/network/10-eth0.network:11", replace(client, "192.168.0.100", "192.168.0.1", "client")],
  ["the client without a way", ["return-path-missing"], "client/etc/systemd/network/10-eth0.network", replace(client, "Gateway=192.168.0.100\n", "", "client"), replace(client, "[Route]", "", "client")],
  ["no translation, and no way back", ["return-path-missing"], "omarine/etc/systemd/network/10-eth0.network", replace("/etc/nftables.conf", /^.*snat.*$/mu, "")],
  ["rulesets that differ", ["ruleset-files-differ"], "fw-2/etc/nftables.conf:54", replace("/etc/nftables.conf", "{ echo, ssh }", "{ echo }", fw2)],
  ["no keepalived.conf", ["config-missing"], "fw-2/etc/keepalived/keepalived.conf", take(keepalivedConf, fw2)],
  ["a brace too few", ["brace-unmatched"], "", replace(keepalivedConf, /\}\s*$/u, "", fw2)],
];

/** The replication by UDP or TCP, to these addresses of fw-2 and of fw-1. */
function unicast(kind: "UDP" | "TCP", toSecond: string, toFirst: string): Edit[] {
  const block = (own: string, to: string): string => `${kind} {\nIPv4_address ${own}\nIPv4_Destination_Address ${to}\nPort 3780\nInterface eth2\n}`;
  return [replace(conntrackdConf, /Multicast \{[^}]*\}/u, block("192.168.2.1", toSecond), "fw-1"), replace(conntrackdConf, /Multicast \{[^}]*\}/u, block("192.168.2.2", toFirst), fw2)];
}

describe("a breakage of the reference tree is found", () => {
  test.each(breakages)("%s", async (_name, ids, place, ...edits) => {
    const found = await faultsAfter(...edits);
    expect([...new Set(found.map(({ id }) => id))].toSorted()).toEqual([...ids].toSorted());
    const places = found.map(({ file, line }) => (line === null ? file : `${file}:${line}`));
    if (place !== "") expect(places.map((each) => (place.includes(":") ? each : each.replace(/:.*$/u, "")))).toContain(place);
  });
});
