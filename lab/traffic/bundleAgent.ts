import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Failure, messageOf } from "../failure/failure.ts";

/**
 * The agent as one CommonJS file for Debian's node 18, without dependencies; equal sources give equal bytes.
 * Started as `node agent.cjs --listen ADDRESS:PORT`. @throws Failure when it cannot be bundled.
 */
export async function bundleAgent(): Promise<string> {
  const entry = fileURLToPath(new URL("agent/main.ts", import.meta.url));
  try {
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      minify: true,
      platform: "node",
      target: "node18",
      format: "cjs",
      legalComments: "none",
      logLevel: "silent",
    });
    const [bundle] = outputFiles;
    if (bundle === undefined) throw new Error("esbuild gave no file");
    return bundle.text;
  } catch (error) {
    throw new Failure({
      tried: "bundle the traffic agent",
      seen: messageOf(error),
      remedy: "Run npm ci, so that esbuild and its platform's program are there",
      exit: 2,
      cause: error,
    });
  }
}
