/**
 * The first process of a toolbox's container: fwlab's own command line, for as long as the process outside holds the other end of a socket.
 * usage: toolboxEntry.mjs SOCKET VERB ARGUMENT...
 */
import { spawn, spawnSync } from "node:child_process";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [socket, ...args] = process.argv.slice(2);
const invalid = 3;

const child = spawn(process.execPath, [join(dirname(fileURLToPath(import.meta.url)), "bootstrap.mjs"), ...args], { stdio: ["ignore", "inherit", "inherit"] });
["SIGINT", "SIGTERM", "SIGHUP"].forEach((name) => process.on(name, () => child.kill(name)));
const lifeline = connect(socket);
// Whoever started this is gone: as the first process it takes all others with it.
lifeline.on("close", () => end(invalid));
lifeline.on("error", () => end(invalid));
child.on("error", (error) => {
  process.stderr.write(`fwlab: cannot be started in the toolbox: ${error.message}\n`);
  end(invalid);
});
child.on("exit", (code, signal) => end(signal === null ? code : invalid));

function end(code) {
  const { FWLAB_OWNER: owner, FWLAB_CACHE: cache } = process.env;
  if (owner !== undefined) {
    spawnSync("chown", ["-R", owner, cache, "runs"]);
  }
  process.exit(code);
}
