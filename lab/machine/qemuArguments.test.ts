import { describe, expect, test } from "vitest";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { machineSpec } from "../topology/topology.ts";
import { qemuArguments } from "./qemuArguments.ts";

const options = {
  spec: machineSpec(primaryBackup, "fw-1"),
  accelerator: "tcg",
  boot: { kernel: "/c/kernel", initrd: "/c/initrd", root: "/c/a,b/root.squashfs" },
  machineFiles: "/l/fw-1.tar",
  console: "/l/console,log",
  memory: { path: "/l/m,1", writes: "kept" },
} as const;

describe("QEMU's arguments", () => {
  test("are the same for the same machine", () => {
    expect(qemuArguments(options)).toEqual(qemuArguments({ ...options }));
  });

  test("put the NICs in their order, the management NIC last, each in a slot of its own and without option ROM", () => {
    const nics = qemuArguments(options).filter((argument) => argument.startsWith("virtio-net-pci"));
    expect(nics.map((nic) => /netdev=(\w+)/u.exec(nic)?.[1])).toEqual(["eth0", "eth1", "eth2", "mgmt0"]);
    const slots = nics.map((nic) => parseInt(/addr=(0x[0-9a-f]+)/u.exec(nic)?.[1] ?? "", 16));
    expect(slots).toEqual([...slots].sort((a, b) => a - b));
    expect(new Set(slots).size).toBe(4);
    expect(nics.every((nic) => nic.includes("romfile=,"))).toBe(true);
  });

  test("double the commas of paths, as QEMU's option syntax wants it", () => {
    const all = qemuArguments(options).join(" ");
    expect(all).toContain("file.filename=/c/a,,b/root.squashfs");
    expect(all).toContain("path=/l/console,,log");
    expect(all).toContain("mem-path=/l/m,,1");
  });

  test("keep the machine's writes in its memory file, or leave the file as it is", () => {
    const shared = (writes: "kept" | "private") => /share=(\w+)/u.exec(qemuArguments({ ...options, memory: { path: "/l/m", writes } }).join(" "))?.[1];
    expect([shared("kept"), shared("private")]).toEqual(["on", "off"]);
  });

  test("emulate only without KVM", () => {
    const acceleratorOf = (accelerator: "kvm" | "tcg"): string[] => {
      const all = qemuArguments({ ...options, accelerator });
      return ["-accel", "-cpu"].map((name) => all[all.indexOf(name) + 1]?.split(",")[0] ?? "");
    };
    expect([acceleratorOf("kvm"), acceleratorOf("tcg")]).toEqual([
      ["kvm", "host"],
      ["tcg", "max"],
    ]);
  });

  test("have no screen unless a machine is to have a graphical console", () => {
    const words = qemuArguments(options).join(" ");
    expect(words).toContain("graphics=off");
    expect(words).not.toMatch(/spice|qxl|usb/u);
  });

  test("give a graphical console a SPICE server on a unix socket, and name the file of its ticket", () => {
    const words = qemuArguments({ ...options, graphics: { socket: "/s/fw-1,a.spice", ticketFile: "/s/fw-1,a.ticket" } });
    const all = words.join(" ");
    expect(all).toContain("q35,graphics=on");
    expect(all).toContain("secret,id=ticket,file=/s/fw-1,,a.ticket");
    expect(all).toContain("-spice unix=on,addr=/s/fw-1,,a.spice,disable-ticketing=off,password-secret=ticket");
    expect(all).not.toMatch(/\bport=\d{4}|tls-port|disable-ticketing=on/u);
    expect(words.filter((word) => word.startsWith("usb-redir,"))).toHaveLength(2);
    const slots = words.flatMap((word) => /addr=(0x[0-9a-f]+)/u.exec(word)?.[1] ?? []);
    expect(new Set(slots).size).toBe(slots.length);
  });

  test("never outgrow the names of taps (IFNAMSIZ)", () => {
    for (const spec of primaryBackup.machines) {
      for (const argument of qemuArguments({ ...options, spec })) {
        const tap = /ifname=([^,]+)/u.exec(argument)?.[1];
        expect(tap?.length ?? 0).toBeLessThanOrEqual(15);
      }
    }
  });
});
