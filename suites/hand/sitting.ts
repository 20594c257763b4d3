import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { expect } from "vitest";
import type { LabPlace } from "../../lab/hand/place.ts";
import { repository } from "../lifecycle/command.ts";

const endsWithinMs = 10_000;

/** Somebody at a terminal, who types and sees. */
export interface Sitting extends AsyncDisposable {
  readonly type: (keys: string) => void;
  readonly untilSeen: (pattern: RegExp) => Promise<void>;
  /** The command's exit code, once it was left or has refused. @throws Error where it does not end then. */
  readonly ended: () => Promise<number | undefined>;
}

/** Sits down at the console of a machine of a lab that stands: at a real terminal, which script(1) makes. */
export function sitAt({ name }: LabPlace, machine: string): Sitting {
  const script = execa("script", ["--quiet", "--return", "--command", `node scripts/bootstrap.mjs console ${machine} --lab ${name}`, "/dev/null"], { cwd: repository, reject: false });
  let seen = "";
  script.stdout.on("data", (chunk: Buffer) => (seen += chunk.toString()));
  return {
    type: (keys) => void script.stdin.write(keys),
    untilSeen: (pattern) => expect.poll(() => seen, { timeout: 40_000, interval: 100 }).toMatch(pattern),
    ended: async () => {
      const { exitCode } = await Promise.race([script, delay(endsWithinMs, undefined, { ref: false }).then(() => Promise.reject(new Error(`its command has not ended within ${endsWithinMs / 1000} s; seen last: ${seen.slice(-200)}`)))]);
      return exitCode;
    },
    async [Symbol.asyncDispose]() {
      script.kill();
      await script;
    },
  };
}
