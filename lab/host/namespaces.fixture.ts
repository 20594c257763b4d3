/**
 * A command in namespaces of its own, for namespaces.test.ts. Started plainly it is the outer process, which enters; started by
 * `enterNamespaces` it is the inner one, which prepares, starts a child, says one line of JSON and lives until it is told to stop.
 */
import { spawn } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { labFolder, prepareNamespaces } from "./labFolder.ts";
import { enterNamespaces, isFirstInside } from "./namespaces.ts";
import { followOuterProcess } from "./outerProcess.ts";

if (isFirstInside()) {
  await inner();
} else {
  process.exitCode = await enterNamespaces({ command: process.execPath, args: process.argv.slice(1) });
}

async function inner(): Promise<void> {
  const mark = process.argv[2] ?? "none";
  const heard: string[] = [];
  followOuterProcess({
    onStop: (signal) => {
      heard.push(signal);
      // Time for a second delivery, which must not come.
      setTimeout(() => {
        console.log(JSON.stringify({ heard }));
        process.exit(7);
      }, 300);
    },
    onGone: () => process.exit(9),
  });
  await prepareNamespaces();
  // The mark makes the child findable from outside; a session of its own, so that no process group takes it along.
  spawn("sh", ["-c", "sleep 600; :", mark], { stdio: "ignore", detached: true });
  await writeFile(join(labFolder(), mark), "");
  const devices = (await readFile("/proc/net/dev", "utf8")).split("\n").slice(2).filter((line) => line !== "");
  const ipv6 = await readFile("/proc/sys/net/ipv6/conf/all/disable_ipv6", "utf8").catch(() => "1");
  console.log(
    JSON.stringify({
      pid: process.pid,
      nics: devices.map((line) => line.split(":")[0]?.trim()),
      ipv6Disabled: ipv6.trim() === "1",
      labFolder: labFolder(),
      files: await readdir(labFolder()),
    }),
  );
  setInterval(() => undefined, 60_000);
}
