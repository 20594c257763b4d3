import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentProgress } from "../progress/progress.ts";
import { loopbackAddress, servicePort, startRig, type Rig } from "./agents.rig.ts";
import { connectOnce } from "./connectOnce.ts";
import { tcp } from "./flowSpec.ts";
import { openFlows } from "./openFlows.ts";

const signal = AbortSignal.timeout(30_000);
let rig: Rig;

beforeAll(async () => {
  rig = await startRig(signal);
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
});

test("the service answers with a record of its own", async () => {
  const { client, server, serverAddress } = rig;
  await using flows = await openFlows({ client, server, serverAddress, specs: [tcp(`omarine:${servicePort}`)], progress: silentProgress, signal });
  const outcome = await connectOnce(client, { address: serverAddress, port: servicePort, timeoutMs: 3_000, expect: "record" }, signal);
  expect(outcome).toMatchObject({ outcome: "answered", connected: true });
  expect(outcome.localPort).toBeGreaterThan(0);
  expect(flows.flows[0]?.tuple.source.port).not.toBe(outcome.localPort);
});

test("a handshake alone is an answer only when that was asked for; an echo is none", async () => {
  const address = loopbackAddress();
  let behaviour: "silent" | "echo" | "end" = "silent";
  const service = createServer((socket) => {
    socket.on("error", () => undefined);
    if (behaviour === "echo") socket.pipe(socket);
    if (behaviour === "end") socket.end();
  });
  service.listen(servicePort, address);
  await once(service, "listening");
  const probe = (expected: "record" | "connect") => connectOnce(rig.client, { address, port: servicePort, timeoutMs: 300, expect: expected }, signal);
  expect((await probe("connect")).outcome).toBe("answered");
  expect(await probe("record")).toMatchObject({ outcome: "timeout", connected: true });
  behaviour = "echo";
  expect((await probe("record")).outcome).toBe("garbled");
  behaviour = "end";
  expect((await probe("record")).outcome).toBe("ended");
  service.close();
});

test("a refusal and a silence are told apart, and both tell their source port", async () => {
  const refused = await connectOnce(rig.client, { address: loopbackAddress(), port: servicePort, timeoutMs: 3_000, expect: "connect" }, signal);
  expect(refused).toMatchObject({ outcome: "refused", connected: false });
  expect(refused.localPort).toBeGreaterThan(0);
});

test("a SYN that is dropped is a timeout, and its source port is told all the same", async () => {
  const address = loopbackAddress();
  // Listens, then accepts nothing: once the backlog is full the kernel drops every SYN, as a firewall's drop rule does.
  const program = `require("net").createServer().listen({ host: "${address}", port: ${servicePort}, backlog: 1 }, () => {
    require("fs").writeSync(1, "ready");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20000);
  })`;
  const server = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await once(server.stdout, "data");
    const outcomes = [];
    for (let probe = 0; probe < 6; probe += 1) outcomes.push(await connectOnce(rig.client, { address, port: servicePort, timeoutMs: 200, expect: "connect" }, signal));
    expect(outcomes[0]?.outcome).toBe("answered");
    expect(outcomes.at(-1)).toMatchObject({ outcome: "timeout", connected: false });
    expect(outcomes.at(-1)?.localPort).toBeGreaterThan(0);
  } finally {
    server.kill("SIGKILL");
  }
});
