import { describe, expect, test } from "vitest";
import { conntrackdConf, faultsAfter, keepalivedConf, notifyScript, put, replace, take, type Edit } from "./brokenPair.fixture.ts";

const advert = (side: string): RegExp => new RegExp(String.raw`(${side} \{[^}]*)advert_int 1`, "u");
const peers = (machine: string, outside: string, inside: string): Edit[] => [
  replace(keepalivedConf, advert("outside"), `$1advert_int 1\n\tunicast_peer {\n\t\t${outside}\n\t}`, machine),
  replace(keepalivedConf, advert("inside"), `$1advert_int 1\n\tunicast_peer {\n\t\t${inside}\n\t}`, machine),
];
const transport = (kind: string): Edit[] =>
  (
    [
      ["fw-1", "192.168.2.1", "192.168.2.2"],
      ["fw-2", "192.168.2.2", "192.168.2.1"],
    ] as const
  ).map(([machine, own, to]) => replace(conntrackdConf, /Multicast \{[^}]*\}/u, `${kind} Default { IPv4_address ${own} IPv4_Destination_Address ${to} Port 3780 Interface eth2 }`, machine));

/** conntrackd's own script, in its steps. */
const primaryBackup = `#!/bin/sh
CONNTRACKD_BIN=/usr/sbin/conntrackd
CONNTRACKD_LOCK=/var/lock/conntrackd.lock
CONNTRACKD_CONFIG=/etc/conntrackd/conntrackd.conf
case "$1" in
  primary)
    $CONNTRACKD_BIN -C $CONNTRACKD_CONFIG -c
    if [ $? -eq 1 ]
    then
        logger "ERROR: failed to invoke conntrackd -c"
    fi
    $CONNTRACKD_BIN -C $CONNTRACKD_CONFIG -f
    $CONNTRACKD_BIN -C $CONNTRACKD_CONFIG -R
    $CONNTRACKD_BIN -C $CONNTRACKD_CONFIG -B
    ;;
  backup)
    $CONNTRACKD_BIN -C $CONNTRACKD_CONFIG -s
    if [ $? -eq 1 ]
    then
        if [ -f $CONNTRACKD_LOCK ]
        then
            rm -f $CONNTRACKD_LOCK
        fi
        $CONNTRACKD_BIN -C $CONNTRACKD_CONFIG -d
    fi
    $CONNTRACKD_BIN -C $CONNTRACKD_CONFIG -t
    $CONNTRACKD_BIN -C $CONNTRACKD_CONFIG -n
    ;;
  fault)
    $CONNTRACKD_BIN -C $CONNTRACKD_CONFIG -t
    ;;
  *)
    logger "ERROR: unknown state transition"
    exit 1
    ;;
esac
`;

const script = "/etc/conntrackd/primary-backup.sh";
const notifyEach = (command: (state: string) => string): Edit => replace(keepalivedConf, "vrrp_sync_group pair {", `vrrp_sync_group pair {\n\tnotify_master "${command("primary")}"\n\tnotify_backup "${command("backup")}"\n\tnotify_fault "${command("fault")}"`);
const noFifo = replace(keepalivedConf, /\tvrrp_notify_fifo\S* .*\n/u, "");

const variants: [name: string, ...edits: Edit[]][] = [
  ["VRRPv2 with a password", replace(keepalivedConf, "vrrp_version 3", "vrrp_version 2"), replace(keepalivedConf, "advert_int 1", "advert_int 1\n authentication {\n auth_type PASS\n auth_pass secret\n }")],
  ["unicast peers", ...peers("fw-1", "192.168.1.2", "192.168.0.2"), ...peers("fw-2", "192.168.1.1", "192.168.0.1")],
  ["no group, each instance tracks both interfaces", replace(keepalivedConf, /vrrp_sync_group pair \{\s+group \{[^}]*\}\s+\}/u, ""), replace(keepalivedConf, "advert_int 1", "advert_int 1\n track_interface {\n eth0\n eth1\n }"), replace(notifyScript, 'GROUP "pair"', 'INSTANCE "inside"')],
  ["a second group beside the pair's", replace(keepalivedConf, "vrrp_sync_group pair", "vrrp_instance spare {\n\tinterface eth2\n\tvirtual_router_id 20\n\tvirtual_ipaddress {\n\t\t192.168.2.100/24\n\t}\n}\nvrrp_sync_group spares {\n\tgroup {\n\t\tspare\n\t}\n}\nvrrp_sync_group pair"), replace(keepalivedConf, "virtual_router_id 20", "virtual_router_id 20\n\tpriority 150\n\tpreempt_delay 30", "fw-1")],
  ["fw-2 preferred", replace(keepalivedConf, "priority 100", "priority 200\n\tpreempt_delay 20", "fw-2")],
  ["nopreempt", replace(keepalivedConf, "preempt_delay 10", "nopreempt", "fw-1")],
  ["NOTRACK", replace(conntrackdConf, "Mode FTFW", "Mode NOTRACK")],
  ["ALARM", replace(conntrackdConf, /Mode FTFW \{\s*\}/u, "Mode ALARM {\n RefreshTime 15\n CacheTimeout 180\n }"), replace(notifyScript, /\tconntrackd_do -n .*\n/u, "")],
  ["UDP", ...transport("UDP")],
  ["TCP, whose channel to a dead node is soon given up", ...transport("TCP"), put("/etc/sysctl.d/70-channel.conf", "net.ipv4.tcp_retries2 = 3\n", "fw-1"), put("/etc/sysctl.d/70-channel.conf", "net.ipv4.tcp_retries2 = 3\n", "fw-2")],
  ["no external cache", replace(conntrackdConf, /Mode FTFW \{/u, "Mode FTFW {\n DisableExternalCache On"), replace(notifyScript, /\tconntrackd_do -[cf] .*\n/u, "")],
  ["use_vmac", replace(keepalivedConf, "advert_int 1", "advert_int 1\n\tuse_vmac\n\tvmac_xmit_base")],
  ["notify scripts of the group", noFifo, notifyEach((state) => `${script} ${state}`), put(script, primaryBackup, "fw-1", 0o755), put(script, primaryBackup, "fw-2", 0o755), take(notifyScript)],
  ["orders in keepalived.conf itself", noFifo, notifyEach((state) => `/bin/sh -c 'for step in ${state === "primary" ? "-c -f -R -B" : "-t -n"}; do conntrackd $step; done'`)],
  ["orders of a general notify script", noFifo, replace(keepalivedConf, "vrrp_sync_group pair {", `vrrp_sync_group pair {\n\tnotify ${notifyScript}`), replace(notifyScript, /while read[\s\S]*/u, 'case "$3" in\nMASTER) become_primary ;;\nBACKUP) become_backup ;;\nFAULT) become_faulty ;;\nesac\n')],
  ["a management VRF", put("/etc/systemd/network/20-vrf.netdev", "[NetDev]\nName=vrf-mgmt\nKind=vrf\n\n[VRF]\nTable=99\n", "fw-1"), put("/etc/systemd/network/20-vrf.netdev", "[NetDev]\nName=vrf-mgmt\nKind=vrf\n\n[VRF]\nTable=99\n", "fw-2")],
  ["other timers", replace(keepalivedConf, "advert_int 1", "advert_int 0.3"), replace(keepalivedConf, "preempt_delay 10", "preempt_delay 20", "fw-1"), replace(conntrackdConf, /Mode FTFW \{/u, "Mode FTFW {\n PurgeTimeout 15\n CommitTimeout 600")],
  ["a ruleset that names its own and its peer's address", replace("/etc/nftables.conf", 'iifname "eth2" udp dport 3780', 'iifname "eth2" ip saddr 192.168.2.2 udp dport 3780', "fw-1"), replace("/etc/nftables.conf", 'iifname "eth2" udp dport 3780', 'iifname "eth2" ip saddr 192.168.2.1 udp dport 3780', "fw-2")],
  ["one keepalived.conf for both nodes", ...["fw-1", "fw-2"].map((machine) => put(keepalivedConf, "$PRIO=150\nglobal_defs {\n\trouter_id $PRIO\n\tvrrp_version 3\n\tvrrp_notify_fifo /run/f\n\tvrrp_notify_fifo_script /etc/keepalived/notify\n}\ninclude conf.d/*.conf\n", machine)), ...["fw-1", "fw-2"].map((machine) => put("/etc/keepalived/conf.d/a.conf", 'vrrp_sync_group pair {\n\tgroup { outside\n\tinside }\n}\nvrrp_instance outside\n{\n\tinterface eth0\n\tvirtual_router_id 10\n\t@fw-1 priority ${PRIO}\n\t@^fw-1 priority 100\n\tnopreempt\n\tvirtual_ipaddress { 192.168.1.100/24 }\n}\nvrrp_instance "inside" {\n\tinterface eth1 ! the client\'s side\n\tvirtual_router_id 11\n\t@fw-1 priority $PRIO\n\tnopreempt\n\tvirtual_ipaddress {\n\t\t192.168.0.100/24\n\t}\n}\n', machine))],
  ["the client's way by a virtual address of its own", replace(keepalivedConf, "\t\t192.168.0.100/24\n", "\t\t192.168.0.100/24\n\t\t192.168.0.254/24\n"), replace("/etc/systemd/network/10-eth0.network", "192.168.0.100", "192.168.0.254", "client")],
  ["rp_filter strict, where both ways are the same", put("/etc/sysctl.d/70-strict.conf", "net.ipv4.conf.all.rp_filter = 1\n")],
];

describe("an unusual tree that is right has nothing above a hint", () => {
  test.each(variants)("%s", async (_name, ...edits) => {
    expect(await faultsAfter(...edits)).toEqual([]);
  });
});
