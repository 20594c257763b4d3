import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { cacheFolder } from "../../lab/host/cacheFolder.ts";
import { missingClients, withoutSpice } from "../../lab/host/spice.ts";
import { imagesFolder } from "../../lab/image/image.ts";
import { recipes } from "../../lab/image/recipe.ts";
import { screenPicture, type Picture } from "./picture.ts";

/** Why no graphical console is looked at here; undefined when it can be. */
export async function noScreen(): Promise<string | undefined> {
  const missing = missingClients();
  if (missing.length > 0) return `skipped: Debian's ${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not there`;
  const without = await withoutSpice();
  if (without !== undefined) return `skipped: QEMU has no SPICE: ${without}`;
  return existsSync(join(imagesFolder(cacheFolder()), (await recipes.desktop()).id)) ? undefined : "skipped: the image with a desktop could not be built";
}

/** A screen that nobody sees, of a display server of the test's own. */
export interface Screen extends AsyncDisposable {
  /** What programs that show something need. */
  readonly environment: Readonly<Record<string, string>>;
  readonly picture: () => Promise<Picture>;
  readonly copy: (text: string) => Promise<void>;
  /** What would be pasted; empty where nothing was copied. */
  readonly pasted: () => Promise<string>;
}

/** Starts it. It listens on a unix socket alone. @throws Error when Xvfb does not start. */
export async function startScreen(): Promise<Screen> {
  const folder = await mkdtemp(join(tmpdir(), "fwlab-screen-"));
  const server = execa("setpriv", ["--pdeathsig", "KILL", "Xvfb", "-displayfd", "3", "-screen", "0", "1280x1024x24", "-fbdir", folder, "-nolisten", "tcp", "-noreset"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    reject: false,
    buffer: false,
  });
  const [chunk] = (await Promise.race([once(server.stdio[3], "data"), server.then(({ exitCode }) => Promise.reject(new Error(`Xvfb ended with ${exitCode ?? "a signal"}`)))])) as [Buffer];
  // A home of its own: the viewer keeps settings, and must find none of the user's.
  const environment = { DISPLAY: `:${chunk.toString().trim()}`, HOME: folder, XDG_RUNTIME_DIR: folder, NO_AT_BRIDGE: "1", GSETTINGS_BACKEND: "memory" };
  return {
    environment,
    picture: () => screenPicture(join(folder, "Xvfb_screen0")),
    copy: async (text) => {
      // It stays in the background, and answers whoever pastes.
      await execa("xclip", ["-selection", "clipboard", "-in"], { env: environment, input: text, stdout: "ignore", stderr: "ignore" });
    },
    pasted: async () => (await execa("xclip", ["-selection", "clipboard", "-target", "UTF8_STRING", "-out"], { env: environment, reject: false, timeout: 10_000 })).stdout,
    [Symbol.asyncDispose]: async () => {
      server.kill("SIGTERM");
      await server;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
