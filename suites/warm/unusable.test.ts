import { chmod, mkdtemp, rm, stat, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { labFolder } from "../../lab/host/labFolder.ts";
import { qemuProgram } from "../../lab/machine/qemuArguments.ts";
import { flipByte } from "../../lab/snapshot/snapshot.rig.ts";
import { SnapshotStore } from "../../lab/snapshot/store.ts";
import type { SnapshotState } from "../../lab/snapshot/inspect.ts";
import { OneMachine, type SavedMachine } from "./oneMachine.ts";

/** One machine boots once or twice in a test; even on a slow host that does not take this long. */
const bootsWithinMs = 5 * 60_000;

let one: OneMachine;
let saved: SavedMachine;

beforeAll(async () => {
  one = await OneMachine.prepare(AbortSignal.timeout(9 * 60_000));
  await one.start();
  saved = await one.snapshot();
  await saved.keep();
});

afterAll(async () => {
  // Undefined when the host did not allow to prepare it: that is the news then.
  await (one as OneMachine | undefined)?.[Symbol.asyncDispose]();
});

test("the control: a whole snapshot is restored, and nothing is told", { timeout: bootsWithinMs }, async () => {
  expect(await one.start()).toEqual({ begun: "warm", notes: [], answered: "fw-1" });
});

describe("a snapshot that cannot be restored is one clear line, then a cold boot", { timeout: bootsWithinMs }, () => {
  beforeEach(async () => {
    await saved.mend();
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  /** Starts a lab whose snapshot is of no use for this cause. It must be gone then: the next start makes another. */
  async function expectColdStart(cause: RegExp, store?: SnapshotStore): Promise<void> {
    const { begun, notes, answered } = await one.start(store);
    expect({ begun, answered }).toEqual({ begun: "cold", answered: "fw-1" });
    expect(notes).toEqual([expect.stringContaining(saved.key)]);
    expect(notes[0]).toMatch(cause);
    expect(notes[0]).not.toContain("\n");
    expect(await one.store.find(saved.key)).toEqual({ state: "missing" });
  }

  test("its memory is cut off", async () => {
    await truncate(saved.memory, 4096);
    await expectColdStart(/fw-1\.memory has 4096 bytes, not 268435456/u);
  });

  test("one bit of its memory is another", async () => {
    await flipByte(saved.memory, 100 * 1024 ** 2);
    await expectColdStart(/fw-1\.memory has SHA-256 [0-9a-f]+…, not [0-9a-f]+…/u);
  });

  test("another QEMU saved it: this one's own words are quoted", async () => {
    await saved.rewriteState("pc-q35-", "pc-q36-");
    await expectColdStart(/Machine type received is 'pc-q36-[\d.]+' and local is 'pc-q35-[\d.]+'/u);
  });

  test("its memory is not the one that its state goes with: the machine does not go on", async () => {
    const { size } = await stat(saved.memory);
    // The first megabyte stays: QEMU looks into its firmware there, and would refuse.
    await truncate(saved.memory, 1024 ** 2);
    await truncate(saved.memory, size);
    await saved.seal();
    await expectColdStart(/fw-1: QEMU ended/u);
  });

  test("there is no memory to map it into", async () => {
    // Stands before the host's QEMU, and leaves no room to one that restores.
    const programs = await mkdtemp(join(labFolder(), "programs-"));
    const path = process.env["PATH"] ?? "";
    const script = ["#!/bin/sh", "PATH=$REAL_PATH", `case " $* " in *" -incoming "*) exec prlimit --as=300000000 ${qemuProgram} "$@" ;; esac`, `exec ${qemuProgram} "$@"`];
    await writeFile(join(programs, qemuProgram), `${script.join("\n")}\n`);
    await chmod(join(programs, qemuProgram), 0o755);
    vi.stubEnv("REAL_PATH", path);
    vi.stubEnv("PATH", `${programs}:${path}`);
    await expectColdStart(/qemu-system-x86_64: \S.*Cannot allocate memory/u);
  });

  test("somebody removes it when it has just been found, and the next start makes another", async () => {
    class Emptied extends SnapshotStore {
      override async find(key: string, signal?: AbortSignal): Promise<SnapshotState> {
        const found = await super.find(key, signal);
        await rm(saved.folder, { recursive: true });
        return found;
      }
    }
    await expectColdStart(/no such file/u, new Emptied({ folder: dirname(saved.folder), limitBytes: Number.MAX_SAFE_INTEGER }));
    expect(await one.start()).toEqual({ begun: "warm", notes: [], answered: "fw-1" });
    expect(await one.store.find(saved.key)).toMatchObject({ state: "whole" });
  });
});
