import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { failoverStory, powerCutStory } from "../../lab/run/powerCutStory.ts";
import { readBundle } from "../../lab/report/readBundle.ts";
import { conducted } from "../conducted.ts";
import { everyNight } from "../everyNight.ts";

const fault = { id: "power-cut", target: "fw-1" };
/** SSH from A to B, and connections that speak in every way. */
const counts = { tcp: 8, udp: 0, ssh: 1 };

/*
 *   A, the client ── br1 ──┬─ FW1 ─┬── br0 ── B, omarine
 *                          └─ FW2 ─┘
 */
describe("an SSH session from A to B, through the test case's policy, when FW1 fails", () => {
  const run = conducted({ config: "test-case", fault, story: powerCutStory(counts) });
  const session = () => {
    const ssh = run().run.flows.find(({ kind }) => kind === "ssh");
    if (ssh === undefined) throw new Error("the run has no SSH session");
    return ssh;
  };

  test("the session lives, there and back; so does every other connection", () => {
    expect(session().survived).toBe(true);
    expect(run()).toPass("flows-survive", "no-drops-on-survivor", "state-on-survivor", "outage-in-bound", "vips-moved");
    expect(run().run.verdict).toBe("pass");
  });

  test("B sees A by the virtual address", () => {
    expect(session().tuple.source.address).toBe("192.168.0.3");
    expect(session().natTuple.source.address).toBe("192.168.1.100");
  });

  test("before the fault conntrackd -i on FW1 and conntrackd -e on FW2 show the session, and the bundle quotes both", async () => {
    expect(run()).toPass("replicated-before");
    const quotes = await readFile(join(run().bundle, "quotes", "conntrackd-before.txt"), "utf8");
    const { source } = session().tuple;
    const shown = (machine: string, option: string) => new RegExp(`\\(shell ${machine}\\)# conntrackd ${option}\\ntcp +6 ESTABLISHED src=192\\.168\\.0\\.3 dst=192\\.168\\.1\\.3 sport=${source.port} dport=22\\b`, "u");
    expect(quotes).toMatch(shown("fw-1", "-i"));
    expect(quotes).toMatch(shown("fw-2", "-e"));
  });

  test("new connections work, and datagrams to B's echo, which runs, are never answered", () => {
    expect(run()).toPass("new-connections");
  });
});

everyNight("the control: without conntrackd", () => {
  const run = conducted({ config: "test-case", control: "no-conntrackd", fault, story: failoverStory(counts, { lost: true }) });

  test("the session dies, and with it every other connection", () => {
    expect(run().run.verdict).toBe("fail");
    expect(run()).toFail("replicated-before", "flows-survive", "no-drops-on-survivor", "state-on-survivor");
    expect(run().run.flows.filter(({ survived }) => survived)).toEqual([]);
  });

  test("the drops are in FW2's log, by rule [5]: A's packets, which belong to no connection that FW2 knows", async () => {
    const { transitions } = await readBundle(run().bundle);
    const log = transitions[0]?.after.firewalls["fw-2"]?.loggedPackets;
    if (log?.ok !== true) throw new Error("FW2's log was not read");
    const sourcePort = run().run.flows.find(({ kind }) => kind === "ssh")?.tuple.source.port;
    const ofSession = log.data.filter((packet) => packet.sourcePort === sourcePort && packet.destinationPort === 22);
    expect(ofSession.length).toBeGreaterThan(0);
    for (const packet of ofSession) {
      expect(packet).toMatchObject({ protocol: "tcp", inNic: "eth1", outNic: "eth0", source: "192.168.0.3", destination: "192.168.1.3" });
      expect(packet.flags).toContain("ACK");
      expect(packet.flags).not.toContain("SYN");
    }
  });

  test("nothing else is to blame: all was steady, the fault bit, the addresses moved, the policy held, new connections work", () => {
    expect(run()).toPass("steady-before", "fault-bit", "vips-moved", "new-connections");
  });
});
