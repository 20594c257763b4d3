import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TerminalProgress } from "../../lab/progress/terminal.ts";
import { fixturesFolder, runsFolder } from "../../lab/run/prepare.ts";
import { validate, type FinishedValidation } from "../../lab/run/validate.ts";
import { readInput } from "../../lab/run/validationInput.ts";
import { validationParts } from "../../lab/run/validationParts.ts";

/** Both firewalls asked by all their checkers, each bounded, on a slow host. */
const boundMs = 150_000;

let tree: string;
beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), "fwlab-hostile-"));
  await cp(join(fixturesFolder, "omarine-snat"), tree, { recursive: true, verbatimSymlinks: true });
});
afterEach(async () => {
  await rm(tree, { recursive: true });
});

async function put(path: string, text: string, mode = 0o644): Promise<void> {
  const file = join(tree, path);
  await mkdir(dirname(file), { recursive: true });
  await rm(file, { force: true });
  await writeFile(file, text);
  await chmod(file, mode);
}

async function looked(): Promise<FinishedValidation> {
  using progress = new TerminalProgress({ write: (text) => process.stderr.write(text) });
  const input = await readInput({ tree, from: tree });
  return await validate({ input, staticOnly: true, flows: undefined, accelerator: "auto", cold: false, runsFolder, command: undefined, parts: validationParts, progress, signal: AbortSignal.timeout(boundMs) });
}

describe("a tree whose programs do not behave", () => {
  test("is looked at in bounded time, and the next tree finds the lab as it was", { timeout: 2 * boundMs }, async () => {
    await put("fw-1/etc/keepalived/notify", "#!/bin/sh\nwhile :; do :; done\n", 0o755);
    await put("fw-2/etc/nftables.conf", "#!/bin/sh\nwhile :; do :; done\n", 0o755);
    await put("fw-1/etc/systemd/system/loop-a.service", "[Unit]\nRequires=loop-b.service\nAfter=loop-b.service\n[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=0\n");
    await put("fw-1/etc/systemd/system/loop-b.service", "[Unit]\nRequires=loop-a.service\nAfter=loop-a.service\n[Service]\nExecStart=/bin/sh -c 'exec sleep infinity'\nType=oneshot\n");
    await symlink("../loop-a.service", join(tree, "fw-1/etc/systemd/system/multi-user.target.wants/loop-a.service"));
    const { validation } = await looked();
    expect(validation.verdict).toBe("fail");
    expect(validation.findings.some(({ severity, file }) => severity === "error" && file === "fw-2/etc/nftables.conf")).toBe(true);
    await rm(tree, { recursive: true });
    await cp(join(fixturesFolder, "omarine-snat"), tree, { recursive: true, verbatimSymlinks: true });
    const after = await looked();
    expect(after.validation.findings.filter(({ severity }) => severity !== "hint")).toEqual([]);
    expect(after.validation.verdict).toBe("pass");
  });
});
