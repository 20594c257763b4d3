import { build } from "esbuild";
import { repositoryFolder } from "../lab/run/portablePath.ts";

type Workflows = typeof import("@actions/workflow-parser");
type Actions = typeof import("@actions/workflow-parser/actions/action-parser");
export type GithubParser = Pick<Workflows, "NoOperationTraceWriter" | "parseWorkflow"> & Pick<Actions, "parseAction">;

/** GitHub's own parser of workflows and actions. It imports JSON as bundlers do, which Node itself refuses: so it is bundled. */
export async function githubParser(): Promise<GithubParser> {
  const contents = ['export { NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";', 'export { parseAction } from "@actions/workflow-parser/actions/action-parser";'].join("\n");
  const { outputFiles } = await build({ stdin: { contents, resolveDir: repositoryFolder }, bundle: true, platform: "node", format: "esm", minify: true, write: false, logLevel: "silent", banner: { js: 'import { createRequire } from "node:module"; const require = createRequire("file:///");' } });
  const code = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
  return (await import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)) as GithubParser;
}
