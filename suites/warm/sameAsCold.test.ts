import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { labFolder } from "../../lab/host/labFolder.ts";
import { stageOf } from "../../lab/machine/console.ts";
import { TerminalProgress } from "../../lab/progress/terminal.ts";
import { Lab } from "../../lab/run/lab.ts";
import type { LabOptions } from "../../lab/run/labOptions.ts";
import { fixturesFolder, prepare } from "../../lab/run/prepare.ts";
import { cachedSnapshots, labOptions } from "../../lab/run/startLab.ts";
import { restoreIdle, savedIdle } from "../../lab/run/warmLab.ts";
import { primaryBackup } from "../../lab/topology/primaryBackup.ts";
import { change, changed } from "./changes.ts";
import { contrast, kinds, type Facts, type LabFacts } from "./facts.ts";
import { lookAt } from "./look.ts";
import { effects, writeOverlay } from "./overlay.ts";
import { settled } from "./settled.ts";

const topology = primaryBackup;
const startWithinMs = 9 * 60_000;

/** Modules that looking at a machine loads: of nft, and of ss. */
const loadedByLooking = /^(?:nf_tables|nfnetlink|libcrc32c|crc32c_intel|[a-z_]*_diag)$/u;

let cold: LabFacts;
let warm: LabFacts;
/** Of the active firewall alone, after it lost its power. */
let again: LabFacts;
let restoredLab: Lab | undefined;

function warmLab(): Lab {
  if (restoredLab === undefined) throw new Error("no lab was restored");
  return restoredLab;
}

beforeAll(async () => {
  const signal = AbortSignal.timeout(startWithinMs);
  using progress = new TerminalProgress({ write: (text) => process.stderr.write(text) });
  const prepared = await prepare({ topology, accelerator: "auto", progress, signal });
  const overlay = await mkdtemp(join(labFolder(), "overlay-"));
  await writeOverlay(overlay);
  const options = async (): Promise<LabOptions> =>
    labOptions({ topology, trees: [join(fixturesFolder, "omarine-snat"), overlay], prepared, keptIn: await mkdtemp(join(labFolder(), "kept-")), progress, signal });
  {
    await using lab = await Lab.start(await options());
    await settled(lab, { progress, signal });
    cold = await lookAtAll(lab);
  }
  const own = await options();
  const store = cachedSnapshots();
  const lab = { ...own, savedIdle: () => savedIdle({ lab: own, prepared, store, signal }) };
  restoredLab = await restoreIdle({ lab, prepared, store, writes: "private", keepsLaid: true, signal });
  await warmLab().lay();
  await settled(warmLab(), { progress, signal });
  warm = await lookAtAll(warmLab());
  const { active } = topology;
  await warmLab().machine(active).cutPower();
  await warmLab().halfBoot(active);
  await warmLab().goOn(active);
  await settled(warmLab(), { progress, signal });
  again = { [active]: await lookAt(warmLab().machine(active).shell) };
});

afterAll(async () => {
  await restoredLab?.[Symbol.asyncDispose]();
});

async function lookAtAll(lab: Lab): Promise<LabFacts> {
  return Object.fromEntries(await Promise.all(topology.machines.map(async ({ name }): Promise<[string, Facts]> => [name, await lookAt(lab.machine(name).shell)])));
}

describe("what holds after a config tree was laid on a restored lab is what holds after a cold boot with it", () => {
  test.each(kinds)("%s", (kind) => {
    const sides = contrast(kind, cold, warm);
    expect(sides.warm).toEqual(sides.cold);
  });
});

describe("the same holds of a machine that lost its power, and is an idle one again that gets its tree", () => {
  test.each(kinds)("%s", (kind) => {
    const { [topology.active]: first } = cold;
    const sides = contrast(kind, first === undefined ? {} : { [topology.active]: first }, again);
    expect(sides.warm).toEqual(sides.cold);
  });

  test("it was restored: its console tells of no boot", () => {
    expect(stageOf(warmLab().machine(topology.active).consoleText)).toBe("ready");
    expect(warmLab().machine(topology.active).consoleText).not.toMatch(/Booting from ROM|Linux version/u);
  });
});

describe("and the overlay does something, so that it is something that is the same", () => {
  const named = effects.map((effect) => [`${effect.of}: ${effect.kind} of ${effect.machine}, ${effect.what}`, effect] as const);
  test.each(named)("%s", (_, { machine, kind, what, how }) => {
    const seen = cold[machine]?.[kind][what];
    if (how === undefined) expect(seen).toBeUndefined();
    else expect(seen).toMatch(how);
  });
});

describe("the control: of what is changed in the restored lab, each comparison sees its own", () => {
  let after: LabFacts;
  beforeAll(async () => {
    await change(warmLab());
    after = await lookAtAll(warmLab());
  });

  test.each(kinds)("%s", (kind) => {
    const { warm: differing } = contrast(kind, cold, after);
    const whats = Object.entries(differing).map(([machine, table]) => [machine, Object.keys(table).filter((what) => kind !== "modules" || !loadedByLooking.test(what))] as const);
    expect(changed(kind)).not.toEqual({});
    expect(Object.fromEntries(whats.filter(([, changes]) => changes.length > 0))).toEqual(changed(kind));
  });
});
