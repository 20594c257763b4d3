import { fileURLToPath } from "node:url";
import { build, type BuildOptions } from "esbuild";
import { Failure, messageOf } from "../failure/failure.ts";
import type { ProgramFile } from "../machine/machineFiles.ts";
import { sshPartFile } from "./agent/sshPart.ts";

/** The agent's program: files that lie beside each other. The first is what node is given. */
export type AgentProgram = readonly [ProgramFile, ...ProgramFile[]];

/**
 * ssh2's parts in machine code. Each is asked for in vain and done without: they would be the host's, and node's own crypto is good enough for a
 * typist.
 */
const leftOut = ["*.node", "cpu-features"];

/**
 * The agent as CommonJS for Debian's node 18, without dependencies; equal sources give equal bytes. What only ssh flows need is a file of its own.
 * Started as `node agent.cjs --listen ADDRESS:PORT`. @throws Failure when it cannot be bundled.
 */
export async function bundleAgent(): Promise<AgentProgram> {
  const [agent, ssh] = await Promise.all([bundle("agent/main.ts", {}), bundle("agent/sshTerminal.ts", { external: leftOut })]);
  return [
    { name: "agent.cjs", content: agent },
    { name: sshPartFile, content: ssh },
  ];
}

async function bundle(source: string, options: BuildOptions): Promise<string> {
  try {
    const { outputFiles } = await build({
      ...options,
      entryPoints: [fileURLToPath(new URL(source, import.meta.url))],
      bundle: true,
      write: false,
      minify: true,
      platform: "node",
      target: "node18",
      format: "cjs",
      legalComments: "none",
      logLevel: "silent",
    });
    const [output] = outputFiles;
    if (output === undefined) throw new Error("esbuild gave no file");
    return output.text;
  } catch (error) {
    throw new Failure({
      tried: "bundle the traffic agent",
      seen: messageOf(error),
      remedy: "Run npm ci, so that esbuild, its platform's program and ssh2 are there",
      exit: 2,
      cause: error,
    });
  }
}
