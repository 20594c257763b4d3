import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { requireSpice, withoutSpice } from "./spice.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fwlab-spice-"));
  vi.stubEnv("PATH", `${folder}:${process.env["PATH"] ?? ""}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** A QEMU that answers as Debian 12's does, and whose first help has these words. */
async function qemuThatSays(spice: string, device: string): Promise<void> {
  const file = join(folder, "qemu-system-x86_64");
  await writeFile(file, `#!/bin/sh\ncase "$3 $4" in\n"-spice help") ${spice} ;;\n"-device qxl-vga,help") ${device} ;;\n*) echo "\${4%,help} options:" ;;\nesac\n`);
  await chmod(file, 0o755);
}

const spiceHelp = "echo 'spice options:'; echo '  addr=<str>'; exit 1";

test("a QEMU that has it all gives graphical consoles, although it ends -spice help with 1", async () => {
  await qemuThatSays(spiceHelp, "echo 'qxl-vga options:'");
  expect(await withoutSpice()).toBeUndefined();
  await requireSpice();
});

test.each([
  ["the server", "echo \"qemu-system-x86_64: -spice help: There is no option group 'spice'\" >&2; exit 1", "echo 'qxl-vga options:'", /^-spice help: .*no option group/u],
  ["the card, which it says with exit code 0", spiceHelp, "echo \"qemu-system-x86_64: -device qxl-vga,help: Device 'qxl-vga' not found\" >&2", /^-device qxl-vga,help: .*not found/u],
])("one that lacks %s does not, and says what to install", async (_, spice, device, seen) => {
  await qemuThatSays(spice, device);
  expect(await withoutSpice()).toMatch(seen);
  await expect(requireSpice()).rejects.toMatchObject({ exit: 2, remedy: expect.stringContaining("qemu-system-modules-spice") as string });
});
