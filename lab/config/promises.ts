import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { exitCode, Failure, messageOf } from "../failure/failure.ts";

/** The file at a config tree's top, beside the machines' folders, that says what the tree promises. No machine gets it. */
export const promisesFile = "fwlab.json";

export const flowKinds = ["tcp", "udp", "ssh"] as const;

/** What a config tree promises of itself, where that is not what most do. */
export const promisesSchema = z.strictObject({
  /** The topology that the tree is for. */
  topology: z.enum(["primary-backup", "primary-backup-ipv6", "sandwich", "sandwich-directors"]).default("primary-backup"),
  /** The reference tree, by its name in fixtures/, that this one is laid over: it holds only what differs. */
  over: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/u, "a name in fixtures/")
    .optional(),
  /** Which kinds of flows the policy lets through from client to server. One of TCP at least: new connections and forged segments are of it. */
  flows: z
    .array(z.enum(flowKinds))
    .refine((kinds) => kinds.includes("tcp") || kinds.includes("ssh"), "tcp or ssh must be among them: the policy is asked by TCP")
    .default([...flowKinds]),
  /** A service that really runs, and that the policy must refuse. */
  denied: z
    .strictObject({ from: z.enum(["client", "server"]), protocol: z.enum(["tcp", "udp"]), port: z.number().int().min(1).max(65_535) })
    .default({ from: "client", protocol: "tcp", port: 23 }),
});

export type Promises = z.infer<typeof promisesSchema>;

/**
 * What config trees, lowest first, promise: the word of the topmost that has one; all defaults where none has.
 * @throws Failure (usage) when its file cannot be read, or says something else.
 */
export async function promisesOf(...trees: readonly string[]): Promise<Promises> {
  for (const tree of trees.toReversed()) {
    const path = join(tree, promisesFile);
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
      throw unusable(path, messageOf(error), error);
    }
    try {
      return promisesSchema.parse(JSON.parse(text));
    } catch (error) {
      throw unusable(path, error instanceof z.ZodError ? error.issues.map(({ path: at, message }) => `${at.join(".") || "file"}: ${message}`).join("; ") : messageOf(error), error);
    }
  }
  return promisesSchema.parse({});
}

function unusable(path: string, seen: string, cause: unknown): Failure {
  const remedy = "README, section What a tree promises, says what the file may hold; without it the defaults hold";
  return new Failure({ tried: `read what the config tree promises, in ${path}`, seen, remedy, exit: exitCode.usage, cause });
}
