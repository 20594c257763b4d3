import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa, execaSync } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { compile, type CompiledProgram } from "../compiled.rig.ts";
import { insideNamespaces } from "./namespaces.ts";

const probe = execaSync("unshare", [...(process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"]), "--net", "--mount", "true"], { reject: false });

interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

describe.skipIf(probe.failed)(`namespaces of a lab's own${probe.failed ? " (skipped: this user may not make any)" : ""}`, () => {
  let fixture: CompiledProgram;
  let cache: string;
  let mark: string;
  beforeAll(async () => {
    fixture = await compile(fileURLToPath(new URL("namespaces.fixture.ts", import.meta.url)));
  });
  afterAll(() => fixture[Symbol.asyncDispose]());
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), "fwlab-namespaces-"));
    mark = `mark-${randomUUID()}`;
  });
  afterEach(async () => {
    await rm(cache, { recursive: true });
  });

  test("the inner process is alone with lo, without IPv6, and its files are seen by nobody else", async () => {
    const { outer, report } = await start();
    expect(report).toEqual({ pid: 1, nics: ["lo"], ipv6Disabled: true, labFolder: join(cache, "lab"), files: [mark] });
    expect(await readdir(join(cache, "lab"))).toEqual([]);
    outer.kill("SIGTERM");
    await outer;
  });

  test("two at once do not meet", async () => {
    const [one, other] = await Promise.all([start(), start("second")]);
    expect(one.report["files"]).toEqual([mark]);
    expect(other.report["files"]).toEqual([`${mark}-second`]);
    one.outer.kill("SIGTERM");
    other.outer.kill("SIGTERM");
    await Promise.all([one.outer, other.outer]);
  });

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s to the outer process reaches the inner one once, and its exit code comes out", async (signal) => {
    const { outer, lines } = await start();
    outer.kill(signal);
    const { exitCode } = await outer;
    expect(await lines.next()).toEqual({ done: false, value: JSON.stringify({ heard: [signal] }) });
    expect(exitCode).toBe(7);
    await expectNothingLeft();
  });

  test.each(["outer", "unshare", "inner"] as const)("SIGKILL of the %s process leaves nothing", async (victim) => {
    const { outer } = await start();
    const family = await marked();
    const unshare = family.find(({ parent, command }) => parent === outer.pid && command.startsWith("unshare"));
    const inner = family.find(({ parent }) => parent === unshare?.pid);
    const pid = { outer: outer.pid, unshare: unshare?.pid, inner: inner?.pid }[victim];
    expect(pid).toBeTypeOf("number");
    process.kill(pid ?? Number.NaN, "SIGKILL");
    const { exitCode } = await outer;
    if (victim !== "outer") {
      expect(exitCode).toBe(128 + 9);
    }
    await expectNothingLeft();
  });

  test("SIGKILL of unshare before it has tied the command to itself leaves nothing either", async () => {
    // unshare without --kill-child, below a stand-in that is killed in its stead: the command is then in nobody's hands.
    const standIn = join(cache, "unshare");
    const filter = 'for argument; do shift; [ "$argument" = --kill-child ] || set -- "$@" "$argument"; done';
    await writeFile(standIn, `#!/bin/sh\n${filter}\nPATH=\${PATH#*:} unshare "$@" &\nwait\n`, { mode: 0o755 });
    const { outer } = await start(undefined, `${cache}:${process.env["PATH"] ?? ""}`);
    const victim = (await marked()).find(({ parent, command }) => parent === outer.pid && command.includes(standIn));
    expect(victim).toBeDefined();
    process.kill(victim?.pid ?? Number.NaN, "SIGKILL");
    expect((await outer).exitCode).toBe(128 + 9);
    await expectNothingLeft();
  });

  test("this process's own word for being inside cannot be had by setting a variable", () => {
    const before = process.env["FWLAB_OUTSIDE_NET"];
    process.env["FWLAB_OUTSIDE_NET"] = execaSync("readlink", ["/proc/self/ns/net"]).stdout;
    expect(insideNamespaces()).toBe(false);
    if (before === undefined) {
      delete process.env["FWLAB_OUTSIDE_NET"];
    } else {
      process.env["FWLAB_OUTSIDE_NET"] = before;
    }
  });

  async function start(suffix?: string, path = process.env["PATH"] ?? "") {
    const name = suffix === undefined ? mark : `${mark}-${suffix}`;
    const outer = execa(process.execPath, [fixture.path, name], { env: { FWLAB_CACHE: cache, PATH: path }, reject: false, stderr: "inherit", stdin: "ignore" });
    const lines = outer[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done === true) {
      throw new Error(`the outer process ended before the inner one reported: exit code ${(await outer).exitCode ?? "none"}`);
    }
    return { outer, lines, report: JSON.parse(first.value) as Record<string, unknown> };
  }

  async function expectNothingLeft(): Promise<void> {
    await expect.poll(marked, { timeout: 5_000, interval: 50 }).toEqual([]);
    expect(await readdir(join(cache, "lab"))).toEqual([]);
  }

  /** Living processes that have the mark in their command line. A zombie's command line is empty. */
  async function marked(): Promise<ProcessInfo[]> {
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/u.test(name));
    const found = await Promise.all(pids.map(processInfo));
    return found.filter((info) => info?.command.includes(mark) === true) as ProcessInfo[];
  }
});

async function processInfo(pid: string): Promise<ProcessInfo | undefined> {
  try {
    const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ");
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    return { pid: Number(pid), parent: Number(/^PPid:\s+(\d+)$/mu.exec(status)?.[1]), command };
  } catch {
    // It ended while we looked.
    return undefined;
  }
}
