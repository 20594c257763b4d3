import { createRequire } from "node:module";
import { Agent } from "./agent.ts";
import { listenForControl } from "./control.ts";
import { sshPartFile, type SshPart } from "./sshPart.ts";

const usage = "usage: agent.cjs --listen ADDRESS:PORT";

function listenArgument(): { address: string; port: number } | undefined {
  const [option, value, ...others] = process.argv.slice(2);
  const match = /^([\d.]+):(\d{1,5})$/u.exec(value ?? "");
  if (option !== "--listen" || match?.[1] === undefined || others.length > 0) return undefined;
  return { address: match[1], port: Number(match[2]) };
}

function loadSsh(): SshPart {
  return createRequire(process.argv[1] ?? "")(`./${sshPartFile}`) as SshPart;
}

const where = listenArgument();
if (where === undefined) {
  process.stderr.write(`${usage}\n`);
  process.exitCode = 2;
} else {
  listenForControl(new Agent(loadSsh), where.address, where.port).then(
    () => process.stdout.write(`listening on ${where.address}:${where.port}\n`),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    },
  );
}
