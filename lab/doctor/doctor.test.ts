import { describe, expect, test } from "vitest";
import { conclusionOf, examinedText, isFit } from "./examined.ts";
import { graphicalPart } from "./graphical.ts";
import { kvmPart } from "./kvm.ts";
import { namespaceParts, parseTrial, tryNamespaces } from "./namespaces.ts";
import type { HostPart } from "./part.ts";
import { programParts, shortVersion } from "./programs.ts";
import { resourceParts, type Resources } from "./resources.ts";

const allMade = { bridge: undefined, tap: undefined, veth: undefined, vlan: undefined, tmpfs: undefined };

describe("namespaces", () => {
  test("the trial's words: a name alone was made, with words it was not, and one that is not told was not tried", () => {
    expect(parseTrial("bridge\ntap open: No such file or directory \nveth\nvlan Error: Unknown device type. \n")).toEqual({
      bridge: undefined,
      tap: "open: No such file or directory",
      veth: undefined,
      vlan: "Error: Unknown device type.",
      tmpfs: "not tried",
    });
  });

  test("on this host, which runs labs, a lab's namespaces and what is in them can be made", async () => {
    expect(await tryNamespaces()).toMatchObject({ made: { bridge: undefined, tap: undefined, tmpfs: undefined } });
  });

  test.each([
    [{ apparmorRestricts: "1", maximum: "63000" }, "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"],
    [{ unprivilegedClone: "0", maximum: "63000" }, "sudo sysctl kernel.unprivileged_userns_clone=1"],
    [{ maximum: "0" }, "sudo sysctl user.max_user_namespaces=15000"],
  ])("an ordinary user who may make none is told which setting forbids it: %j", (settings, mend) => {
    expect(namespaceParts({ refused: "unshare: unshare failed: Operation not permitted" }, settings, false)).toMatchObject([{ name: "namespaces", state: "missing", mend }]);
  });

  test("a kernel without VLANs runs labs, more slowly; one without taps runs none", () => {
    expect(namespaceParts({ made: { ...allMade, vlan: "Error: Unknown device type." } }, {}, true)).toMatchObject([{ state: "works" }, { state: "works" }, { name: "VLANs by the kernel", state: "slower", mend: "sudo modprobe 8021q" }]);
    expect(namespaceParts({ made: { ...allMade, tap: "open: No such file or directory" } }, {}, true)[1]).toMatchObject({ state: "missing", seen: "tap: open: No such file or directory", mend: expect.stringContaining("modprobe tun") as string });
    expect(namespaceParts({ made: { ...allMade, tap: "open: Permission denied" } }, {}, false)[1]?.mend).toMatch(/^sudo chmod 0666 \/dev\/net\/tun/u);
  });
});

describe("KVM", () => {
  test.each([
    [{ opens: false, code: "ENOENT" }, "intel", { state: "slower", mend: "sudo modprobe kvm_intel" }],
    [{ opens: false, code: "ENOENT" }, "amd", { state: "slower", mend: "sudo modprobe kvm_amd" }],
    [{ opens: false, code: "EACCES" }, "amd", { state: "slower", mend: expect.stringContaining("usermod -aG kvm") as string }],
    [{ opens: true, boots: { reached: false, seen: "the guest's kernel did not reach its first process within 8 s" } }, "intel", { state: "slower", seen: expect.stringContaining("opens, but") as string }],
    [{ opens: true, boots: { reached: true, seen: "the guest's kernel boots under it in 900 ms" } }, "intel", { state: "works" }],
  ] as const)("%j, on a processor of %s", (trial, processor, part) => {
    expect(kvmPart(trial, processor)).toMatchObject(part);
  });

  test("no command mends a processor that shows no virtualisation", () => {
    expect(kvmPart({ opens: false, code: "ENOENT" }, undefined)).not.toHaveProperty("mend");
  });
});

describe("graphical consoles", () => {
  test("labs run without them, and what is missing is told apart", () => {
    expect(graphicalPart({ without: undefined, viewer: "/usr/bin/remote-viewer" })).toMatchObject({ state: "works", seen: "QEMU has SPICE; /usr/bin/remote-viewer" });
    expect(graphicalPart({ without: undefined, viewer: undefined })).toMatchObject({ state: "slower", mend: expect.stringContaining("virt-viewer") as string });
    expect(graphicalPart({ without: "-spice help: -spice: There is no option group 'spice'", viewer: undefined })).toMatchObject({ state: "slower", mend: expect.stringContaining("qemu-system-modules-spice") as string });
  });
});

describe("programs", () => {
  test("what is missing is installed by one command, each package once", () => {
    expect(programParts({ absent: [["tc", "iproute2"], ["ip", "iproute2"], ["tshark", "tshark"]], versions: [], browser: "chromium" })[0]).toMatchObject({
      state: "missing",
      mend: "sudo apt-get install -y --no-install-recommends iproute2 tshark",
    });
  });

  test("a host without a browser runs labs", () => {
    expect(programParts({ absent: [], versions: [], browser: undefined })[1]).toMatchObject({ state: "slower" });
  });

  test.each([
    ["qemu-system-x86_64", "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright (c)", "qemu 7.2.22"],
    ["ip", "ip utility, iproute2-6.1.0, libbpf 1.1.2", "ip 6.1.0"],
    ["tshark", "TShark (Wireshark) 4.0.17 (Git v4.0.17 packaged as 4.0.17-0+deb12u1).", "tshark 4.0.17"],
  ])("the version of %s", (program, said, version) => {
    expect(shortVersion(program, said)).toBe(version);
  });
});

describe("resources", () => {
  const roomy: Resources = { cores: 4, memoryBytes: 16e9, availableBytes: 12e9, cacheFolder: "/cache", freeDiskBytes: 90e9, snapshotLimitBytes: 4e9, cachedBytes: 0, clockSource: "tsc", clockSources: ["tsc", "hpet"] };

  test("a roomy host lacks nothing", () => {
    expect(resourceParts(roomy).map(({ state }) => state)).toEqual(["works", "works", "works", "works"]);
  });

  test.each([
    [{ cores: 1 }, "processors", "slower"],
    [{ memoryBytes: 2e9 }, "memory", "missing"],
    [{ availableBytes: 1e9 }, "memory", "slower"],
    [{ freeDiskBytes: 1e9 }, "disk", "missing"],
    [{ freeDiskBytes: 3e9 }, "disk", "slower"],
    [{ clockSource: "hpet" }, "clock source", "slower"],
  ] as const)("%j", (less, name, state) => {
    expect(resourceParts({ ...roomy, ...less }).find((part) => part.name === name)).toMatchObject({ state });
  });

  test("what is in the cache already counts as room for it", () => {
    expect(resourceParts({ ...roomy, freeDiskBytes: 3e9, cachedBytes: 4e9 })[2]).toMatchObject({ state: "works" });
  });

  test("a slow clock is mended where the kernel has a quick one, and only there", () => {
    expect(resourceParts({ ...roomy, clockSource: "hpet" })[3]?.mend).toContain("echo tsc");
    expect(resourceParts({ ...roomy, clockSource: "hpet", clockSources: ["hpet"] })[3]).not.toHaveProperty("mend");
  });
});

describe("what is said of it all", () => {
  const works: HostPart = { name: "namespaces", state: "works", seen: "root's", without: "no lab runs" };
  const slower: HostPart = { name: "KVM", state: "slower", seen: "no /dev/kvm", without: "machines are emulated", mend: "sudo modprobe kvm_intel" };
  const missing: HostPart = { name: "programs", state: "missing", seen: "tshark not found", without: "no lab runs", mend: "sudo apt-get install tshark" };

  test("labs run without what makes them quick, and not without what they need", () => {
    expect([isFit([works, slower]), isFit([works, missing])]).toEqual([true, false]);
    expect([conclusionOf([works]), conclusionOf([works, slower]), conclusionOf([slower, missing])]).toEqual([
      "labs run on this host, and lack nothing",
      "labs run on this host, slower or with less for want of: KVM",
      "no lab runs on this host before these are mended: programs",
    ]);
  });

  test("what does not work says what that means and what mends it; what works says neither", () => {
    const text = examinedText([works, slower]);
    expect(text).toContain("without it: machines are emulated");
    expect(text).toContain("mend it:    sudo modprobe kvm_intel");
    expect(text).not.toContain("no lab runs");
  });
});
