import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentProgress } from "../../lab/progress/progress.ts";
import { fixturesFolder } from "../../lab/run/prepare.ts";
import { validate, type FinishedValidation } from "../../lab/run/validate.ts";
import { readInput } from "../../lab/run/validationInput.ts";
import { validationParts } from "../../lab/run/validationParts.ts";

const withinMs = 5 * 60_000;
const vlan = "fw-2/etc/systemd/network/12-eth2.165.netdev";

/** Files that differ from the reference: a VLAN that cannot be, rules that iptables refuses. */
const differing: Readonly<Record<string, (text: string) => string>> = {
  [vlan]: (text) => text.replace("Id=165", "Id=4196"),
  "lvs/etc/iptables/rules.v4": (text) => text.replace("--set-mark 1", "--set-marc 1"),
};

describe("a sandwich's files, looked at by the guests' own checkers and by what no checker sees", () => {
  let folder: string;
  let finished: FinishedValidation;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "validate-sandwich-"));
    for (const [path, change] of Object.entries(differing)) {
      await mkdir(join(folder, "tree", dirname(path)), { recursive: true });
      await writeFile(join(folder, "tree", path), change(await readFile(join(fixturesFolder, "sandwich", path), "utf8")));
    }
    await writeFile(join(folder, "tree/fwlab.json"), JSON.stringify({ topology: "sandwich" }));
    const input = await readInput({ tree: join(folder, "tree"), base: "sandwich-ha", from: folder });
    finished = await validate({
      ...{ input, staticOnly: true, parts: validationParts, flows: undefined, accelerator: "auto", cold: false, command: undefined },
      ...{ runsFolder: join(folder, "runs"), progress: silentProgress, signal: AbortSignal.timeout(withinMs) },
    });
  }, withinMs + 30_000);
  afterAll(() => rm(folder, { recursive: true }));

  test("each is told at its line, and nothing else is", () => {
    const { findings } = finished.validation;
    expect(findings.map(({ id, file, line }) => [id, file, line])).toEqual(
      expect.arrayContaining([
        ["vlan-id", vlan, 6],
        ["iptables-check", "lvs/etc/iptables/rules.v4", 6],
      ]),
    );
    // The service that loads the rules fails, and is told, too.
    expect(new Set(findings.map(({ file }) => file))).toEqual(new Set([...Object.keys(differing), "lvs/etc/systemd/system/iptables.service"]));
  });

  test("it fails for what is certain", () => {
    expect(finished.validation).toMatchObject({ verdict: "fail", run: null });
  });
});
