import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { basename } from "node:path";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { pack, type Pack } from "tar-stream";
import { managementAddressOf, managementNic, type MachineSpec } from "../topology/topology.ts";
import type { TreeEntry } from "./configTree.ts";

/** Port of the lab's own sshd, apart from any that the config tree may start. */
export const controlPort = 2222;

/** What the console says when everything that boots has booted. */
export const readyMarker = "fwlab: ready";

/** What makes a machine boot no further than `idleFiles` says: taken away when a config tree is laid on it. */
export const idleTargetLink = "run/systemd/system/default.target";

/** The unit at which such a boot ends. It stops when an ordinary boot begins. */
export const idleTarget = "run/systemd/system/fwlab-idle.target";

/** Keys with which a machine is controlled, and by which it is known. OpenSSH formats. */
export interface MachineKeys {
  readonly hostPrivateKey: string;
  readonly hostPublicKeyLine: string;
  readonly clientPublicKeyLine: string;
}

/** A file of a program that runs on a machine. */
export interface ProgramFile {
  readonly name: string;
  readonly content: string;
}

const file = (path: string, content: string | Buffer, mode = 0o644): TreeEntry => ({
  type: "file",
  path,
  mode,
  content: Buffer.isBuffer(content) ? content : Buffer.from(content),
});

const enabled = (unit: string): TreeEntry => ({
  type: "link",
  path: `run/systemd/system/multi-user.target.wants/${unit}`,
  target: `../${unit}`,
});

/**
 * The lab's own files on a machine. All but name and login key are under /run, apart from what a config tree lays over /etc.
 * The sshd of a machine under test runs in the management namespace that the initramfs made; its sessions do not.
 */
export function labFiles(spec: MachineSpec, keys: MachineKeys): TreeEntry[] {
  const isUnderTest = spec.role !== "endpoint";
  const sshd = [
    `Port ${controlPort}`,
    `ListenAddress ${managementAddressOf(spec)}`,
    "HostKey /run/fwlab/ssh_host_ed25519_key",
    "AuthorizedKeysFile /run/fwlab/authorized_keys",
    "StrictModes no",
    "PidFile none",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "UsePAM no",
    "UseDNS no",
    "PrintMotd no",
    "MaxSessions 200",
    "MaxStartups 100",
    "PermitRootLogin prohibit-password",
    ...(isUnderTest ? ['ForceCommand exec nsenter --net=/proc/1/ns/net -- /bin/sh -c "${SSH_ORIGINAL_COMMAND:-exec bash -il}"'] : []),
  ];
  const intoManagement = isUnderTest ? "/usr/bin/nsenter --net=/run/fwlab/mgmt-netns " : "";
  return [
    file("etc/hostname", `${spec.name}\n`),
    // Not a machine's first boot: no identity to make up, and the same one at each boot.
    file("etc/machine-id", `${createHash("sha256").update(spec.name).digest("hex").slice(0, 32)}\n`),
    file("etc/hosts", `127.0.0.1 localhost\n127.0.1.1 ${spec.name}\n`),
    file("etc/ssh/ssh_host_ed25519_key", keys.hostPrivateKey, 0o600),
    file("etc/ssh/ssh_host_ed25519_key.pub", `${keys.hostPublicKeyLine}\n`),
    { type: "folder", path: "root/.ssh", mode: 0o700 },
    file("root/.ssh/authorized_keys", `${keys.clientPublicKeyLine}\n`, 0o600),
    { type: "folder", path: "run/fwlab", mode: 0o700 },
    file("run/fwlab/ssh_host_ed25519_key", keys.hostPrivateKey, 0o600),
    file("run/fwlab/authorized_keys", `${keys.clientPublicKeyLine}\n`, 0o600),
    file("run/fwlab/sshd_config", `${sshd.join("\n")}\n`),
    file("run/systemd/network/00-fwlab-mgmt.network", `[Match]\nName=${managementNic}\n\n[Link]\nUnmanaged=yes\n`),
    file(
      "run/systemd/system/fwlab-sshd.service",
      `[Unit]\nDescription=Control of the lab\nDefaultDependencies=no\nAfter=systemd-tmpfiles-setup.service\n\n[Service]\nExecStart=${intoManagement}/usr/sbin/sshd -D -e -r -f /run/fwlab/sshd_config\nRestart=on-failure\n`,
    ),
    enabled("fwlab-sshd.service"),
    file(
      "run/systemd/system/fwlab-ready.service",
      `[Unit]\nDescription=Tells the lab that the boot is over\nDefaultDependencies=no\nAfter=multi-user.target fwlab-sshd.service fwlab-agent.service\n\n[Service]\nType=oneshot\nExecStart=/bin/sh -c 'read up rest < /proc/uptime; echo "${readyMarker} after $up s" > /dev/console'\n`,
    ),
    enabled("fwlab-ready.service"),
  ];
}

/**
 * With these a boot ends as early as the lab can control the machine: nothing that a config tree could change has been read or started, no
 * module, sysctl, device rule, network or daemon. `layTree` takes it from there, in the order of an ordinary boot.
 */
export function idleFiles(): TreeEntry[] {
  const own = "fwlab-sshd.service fwlab-agent.service fwlab-ready.service";
  return [
    { type: "link", path: idleTargetLink, target: basename(idleTarget) },
    file(idleTarget, `[Unit]\nDescription=Waits for a config tree\nDefaultDependencies=no\nConflicts=sysinit.target\nWants=${own}\nAfter=${own}\n`),
  ];
}

/**
 * Files and unit that run the flow agent on an endpoint: node runs the first file of `program` from /run, the others lie beside it, and it is
 * asked on the management address. Its sockets may hold `receiveBufferBytes` each. The agent holds the flows, so it is out of reach of the out-of-memory killer.
 */
export function agentFiles(spec: MachineSpec, program: readonly [ProgramFile, ...ProgramFile[]], { port, receiveBufferBytes }: { readonly port: number; readonly receiveBufferBytes: number }): TreeEntry[] {
  return [
    ...program.map(({ name, content }) => file(`run/fwlab/${name}`, content)),
    file(
      "run/systemd/system/fwlab-agent.service",
      `[Unit]\nDescription=Flows of the lab\nDefaultDependencies=no\n\n[Service]\nExecStartPre=/usr/sbin/sysctl --quiet --write net.core.rmem_max=${receiveBufferBytes}\nExecStart=/usr/bin/node /run/fwlab/${program[0].name} --listen ${managementAddressOf(spec)}:${port}\nLimitNOFILE=65536\nOOMScoreAdjust=-900\n`,
    ),
    enabled("fwlab-agent.service"),
  ];
}

/** A tar archive of the entries, owned by root, times at the epoch: the same entries give the same bytes. */
function archiveOf(entries: readonly TreeEntry[]): Pack {
  const archive = pack();
  const owner = { uid: 0, gid: 0, uname: "root", gname: "root", mtime: new Date(0) };
  for (const entry of entries) {
    if (entry.type === "file") {
      archive.entry({ ...owner, name: entry.path, mode: entry.mode, size: entry.content.length, type: "file" }, entry.content);
    } else if (entry.type === "link") {
      archive.entry({ ...owner, name: entry.path, mode: 0o777, type: "symlink", linkname: entry.target });
    } else {
      archive.entry({ ...owner, name: entry.path, mode: entry.mode, type: "directory" });
    }
  }
  archive.finalize();
  return archive;
}

/** Writes the archive of the entries to a file that only its owner can read. @throws on I/O errors. */
export async function writeMachineFiles(path: string, entries: readonly TreeEntry[]): Promise<void> {
  await pipeline(archiveOf(entries), createWriteStream(path, { mode: 0o600 }));
}

/** The archive of the entries in memory. */
export async function packedFiles(entries: readonly TreeEntry[]): Promise<Buffer> {
  return buffer(archiveOf(entries));
}
