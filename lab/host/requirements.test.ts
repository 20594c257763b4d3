import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findProgram, hostPrograms, inspectHost, parseQemuVersion } from "./requirements.ts";

test.each([
  ["QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright (c) 2003-2022 Fabrice Bellard", { version: "7.2.22", major: 7, minor: 2 }],
  ["QEMU emulator version 8.2.2 (Debian 1:8.2.2+ds-0ubuntu1.4)", { version: "8.2.2", major: 8, minor: 2 }],
  ["QEMU emulator version 10.0.3", { version: "10.0.3", major: 10, minor: 0 }],
])("QEMU's version is read: %s", (output, version) => {
  expect(parseQemuVersion(output)).toEqual(version);
});

test("an answer that is no version is refused with its text", () => {
  expect(() => parseQemuVersion("cannot open shared object")).toThrow(/cannot open shared object/u);
});

test("a program is found when it may be executed, and only then", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fwlab-programs-"));
  const file = join(folder, "fwlab-no-such-program");
  await writeFile(file, "", { mode: 0o644 });
  expect(findProgram("fwlab-no-such-program", folder)).toBeUndefined();
  await chmod(file, 0o755);
  expect(findProgram("fwlab-no-such-program", folder)).toBe(file);
  await rm(folder, { recursive: true });
});

test("a host without the programs is told what to install, on one line", async () => {
  const programs = hostPrograms.everyone as Record<string, string>;
  programs["fwlab-no-such-program"] = "fwlab-no-such-package";
  try {
    const { missing } = await inspectHost();
    const part = missing.find(({ what }) => what === "programs");
    expect(part?.seen).toContain("fwlab-no-such-program not found");
    expect(part?.remedy).toMatch(/^Install: sudo apt-get install -y --no-install-recommends .*fwlab-no-such-package$/u);
  } finally {
    Reflect.deleteProperty(programs, "fwlab-no-such-program");
  }
});
