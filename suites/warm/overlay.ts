import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Kind } from "./facts.ts";

/** Files of a config tree by path, a link as its target with an arrow before it. */
type Tree = Readonly<Record<string, string>>;

const linkTo = (target: string): string => `-> ${target}`;

/** A unit that runs a script of the tree, which tells how it was started: environment, limits and mask for new files. */
const told: Tree = {
  "etc/systemd/system/overlay.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/local/sbin/tell\n\n[Install]\nWantedBy=multi-user.target\n",
  "etc/systemd/system/multi-user.target.wants/overlay.service": linkTo("../overlay.service"),
  "usr/local/sbin/tell": "#!/bin/sh\n{ env | grep -vE '^(INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_EXEC_PID)=' | sort; ulimit -a; umask; grep -E '^(Cap|NoNewPrivs)' /proc/self/status; } >/root/told\n",
};

/** Each machine has its own way of reaching what runs already, so that none hides that another does not reach it. */
const overlay: Readonly<Record<string, Tree>> = {
  common: {
    ...told,
    "etc/hostname": "overlay\n",
    "etc/hosts": "127.0.0.1 overlay\n",
    "etc/sysctl.d/70-overlay.conf": "net.ipv4.tcp_fin_timeout = 33\n",
    "etc/modules-load.d/overlay.conf": "8021q\n",
    "etc/tmpfiles.d/overlay.conf": "f /etc/made-at-boot 0640 root adm - once\nd /usr/local/made-at-boot 0751 nobody nogroup\n",
    "etc/motd": linkTo("hostname"),
    "etc/os-release": "NAME=overlay\n",
  },
  client: {
    "etc/systemd/network/05-eth0.link": "[Match]\nMACAddress=52:54:00:f1:01:00\n\n[Link]\nMTUBytes=1400\nAlternativeName=uplink\n",
    "etc/systemd/journald.conf.d/90-overlay.conf": "[Journal]\nMaxLevelStore=notice\n",
    "etc/systemd/system/systemd-networkd.socket": linkTo("/dev/null"),
  },
  "fw-1": {
    "etc/systemd/system.conf.d/90-overlay.conf": "[Manager]\nDefaultTimeoutStartSec=77s\nDefaultLimitNOFILE=4096:8192\nDefaultEnvironment=OVERLAY=yes\nTimerSlackNSec=70us\nCapabilityBoundingSet=~CAP_WAKE_ALARM\n",
    "etc/modprobe.d/overlay.conf": "options nf_conntrack hashsize=4096\n",
  },
  "fw-2": {
    "etc/modprobe.d/overlay.conf": "blacklist ip_tables\nblacklist qemu_fw_cfg\n",
    "etc/sysusers.d/overlay.conf": 'u overlay 4242 "Of the overlay" /nonexistent\n',
    // Masked in the image, which makes its own users.
    "etc/systemd/system/systemd-sysusers.service": linkTo("/lib/systemd/system/systemd-sysusers.service"),
    // shadow(5) has the day on which the user was made: the same, should midnight pass between the labs.
    "etc/systemd/system/systemd-sysusers.service.d/day.conf": "[Service]\nEnvironment=SOURCE_DATE_EPOCH=86400\n",
  },
  omarine: {
    "etc/udev/rules.d/90-overlay.rules": 'ACTION=="add", SUBSYSTEM=="net", KERNEL=="eth0", ATTR{tx_queue_len}="500"\n',
    "etc/locale.conf": "LC_COLLATE=POSIX\n",
  },
};

/** Writes a config tree into a folder that exercises what the reference tree lacks. @throws on I/O errors. */
export async function writeOverlay(folder: string): Promise<void> {
  for (const [part, tree] of Object.entries(overlay)) {
    for (const [path, content] of Object.entries(tree)) {
      const file = join(folder, part, path);
      await mkdir(dirname(file), { recursive: true });
      const target = /^-> (?<target>.+)$/u.exec(content)?.groups?.["target"];
      if (target !== undefined) {
        await symlink(target, file);
      } else {
        await writeFile(file, content);
        await chmod(file, content.startsWith("#!") ? 0o755 : 0o644);
      }
    }
  }
}

interface Effect {
  readonly of: string;
  readonly machine: string;
  readonly kind: Kind;
  readonly what: string;
  /** How it is; undefined when it must not be there. */
  readonly how: RegExp | undefined;
}

/** What the overlay's parts bring about. */
export const effects: readonly Effect[] = [
  { of: "the lab's own files, which win", machine: "client", kind: "hostname", what: "hostname", how: /^client$/u },
  { of: "an enabled unit", machine: "client", kind: "units", what: "overlay.service", how: /active exited/u },
  { of: "a script", machine: "client", kind: "files", what: "/root/told", how: /^file/u },
  { of: "sysctl.d", machine: "client", kind: "sysctls", what: "net.ipv4.tcp_fin_timeout", how: /^33$/u },
  { of: "modules-load.d", machine: "client", kind: "modules", what: "8021q", how: /loaded/u },
  { of: "tmpfiles.d", machine: "client", kind: "files", what: "/etc/made-at-boot", how: /^file 640 of 0:4/u },
  { of: "tmpfiles.d", machine: "client", kind: "files", what: "/usr/local/made-at-boot", how: /^d 751 of 65534:65534$/u },
  { of: "a link instead of a file", machine: "client", kind: "files", what: "/etc/motd", how: /^link .* to hostname$/u },
  { of: "a file instead of a link", machine: "client", kind: "files", what: "/etc/os-release", how: /^file 644/u },
  { of: "a .link file", machine: "client", kind: "links", what: "eth0", how: /"mtu":1400.*"altnames":\["uplink"\]/u },
  { of: "journald.conf.d", machine: "client", kind: "journal", what: "info", how: undefined },
  { of: "no journald.conf.d", machine: "fw-1", kind: "journal", what: "info", how: /kept/u },
  { of: "a masked unit", machine: "client", kind: "units", what: "systemd-networkd.socket", how: undefined },
  { of: "the unit elsewhere", machine: "fw-1", kind: "units", what: "systemd-networkd.socket", how: /active/u },
  { of: "system.conf.d", machine: "fw-1", kind: "manager", what: "DefaultTimeoutStartUSec", how: /^1min 17s$/u },
  { of: "system.conf.d", machine: "fw-1", kind: "manager", what: "Environment", how: /OVERLAY=yes/u },
  { of: "system.conf.d, where reading it again would not do", machine: "fw-1", kind: "manager", what: "TimerSlackNSec", how: /^70000$/u },
  { of: "options in modprobe.d", machine: "fw-1", kind: "sysctls", what: "net.netfilter.nf_conntrack_buckets", how: /^4096$/u },
  { of: "a blacklist in modprobe.d", machine: "fw-2", kind: "modules", what: "ip_tables", how: undefined },
  { of: "no blacklist", machine: "fw-1", kind: "modules", what: "ip_tables", how: /loaded/u },
  { of: "sysusers.d", machine: "fw-2", kind: "users", what: "overlay", how: /4242/u },
  { of: "a rule of udev", machine: "omarine", kind: "links", what: "eth0", how: /"txqlen":500/u },
  { of: "locale.conf", machine: "omarine", kind: "manager", what: "Environment", how: /LC_COLLATE=POSIX/u },
];
