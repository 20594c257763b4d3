import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AgentClient } from "./agentClient.ts";
import { loopbackAddress, servicePort, startAgent } from "./agents.rig.ts";
import { bundleAgent } from "./bundleAgent.ts";
import { agentPort } from "./protocol.ts";

const signal = AbortSignal.timeout(20_000);

test("ssh2 is in a file of its own, and weighs more than all the rest", async () => {
  const [agent, ssh, ...others] = await bundleAgent();
  expect([agent.name, ssh?.name, others]).toEqual(["agent.cjs", "agent-ssh.cjs", []]);
  expect([agent.content.includes("ssh-userauth"), ssh?.content.includes("ssh-userauth")]).toEqual([false, true]);
  expect(agent.content.length).toBeLessThan(40_000);
});

test("equal sources give equal bytes", async () => {
  expect(await bundleAgent()).toEqual(await bundleAgent());
});

test("ssh2 is looked for only when ssh flows are to be opened", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fwlab-agent-"));
  try {
    const [{ name, content }] = await bundleAgent();
    await writeFile(join(folder, name), content);
    await using running = await startAgent(folder, loopbackAddress());
    await using agent = await AgentClient.connect({ name: "client", address: running.address, port: agentPort }, { signal });
    const open = (session: number, kind: "tcp" | "ssh") =>
      agent.request(
        "open",
        {
          session,
          role: "client",
          address: loopbackAddress(),
          flows: [{ flow: 0, kind, mode: "request", intervalMs: 1_000, port: servicePort }],
          identity: { username: "root", privateKey: "", hostKey: "ssh-ed25519 AAAA" },
        },
        { signal },
      );
    expect(await open(1, "tcp")).toEqual({ flows: 1 });
    await expect(open(2, "ssh")).rejects.toThrow(/MODULE_NOT_FOUND.*agent-ssh\.cjs/u);
    expect(await open(3, "tcp")).toEqual({ flows: 1 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
