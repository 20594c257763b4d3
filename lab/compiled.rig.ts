import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

/** Packages that look for files beside themselves. They are loaded from where they are. */
const leftOut = /^(esbuild|ssh2|vitest)(\/|$)/;

/** Sources go by their own place, wherever the compiled program lies. */
const inPlace: Plugin = {
  name: "in-place",
  setup(bundling) {
    bundling.onResolve({ filter: leftOut }, ({ path, importer }) => ({ path: pathToFileURL(createRequire(importer).resolve(path)).href, external: true }));
    bundling.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)),
      loader: "ts",
    }));
  },
};

/** A program of ours in few files, of which node loads what is asked for: it starts in a quarter of the time that it takes with tsx. */
export interface CompiledProgram extends AsyncDisposable {
  readonly path: string;
}

/** Compiles a program for tests that start it often. */
export async function compile(source: string): Promise<CompiledProgram> {
  const folder = await mkdtemp(join(tmpdir(), "fwlab-compiled-"));
  await build({
    entryPoints: [source],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    platform: "node",
    // Node 20 knows no `using`.
    target: "node20",
    format: "esm",
    // Packages in CommonJS ask for node's modules by require.
    banner: { js: 'import { createRequire as requireFor } from "node:module"; const require = requireFor(import.meta.url);' },
    plugins: [inPlace],
    logLevel: "silent",
  });
  return { path: join(folder, basename(source).replace(/\.ts$/u, ".mjs")), [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
