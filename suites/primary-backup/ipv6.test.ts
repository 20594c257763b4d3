import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { failoverStory, powerCutStory } from "../../lab/run/powerCutStory.ts";
import { primaryBackupIpv6 } from "../../lab/topology/primaryBackup.ts";
import { conducted } from "../conducted.ts";
import { everyNight } from "../everyNight.ts";

const fault = { id: "power-cut", target: "fw-1" };

/*
 *   client ── br1 ──┬─ fw-1 ─┬── br0 ── omarine      2001:db8:168::/64 on br1, 2001:db8:168:1::/64 on br0
 *                   └─ fw-2 ─┘
 */
describe("over IPv6, with NAT66 where the reference has NAT", () => {
  describe("omarine-snat: fw-1 loses its power, and comes back", () => {
    const run = conducted({ config: "omarine-snat-ipv6", fault, story: powerCutStory({ tcp: 8, udp: 3, ssh: 1 }) });

    test("every check of both ways holds", () => {
      const { verdict, checks } = run().run;
      expect(checks.filter((check) => check.verdict !== "pass")).toEqual([]);
      expect(verdict).toBe("pass");
    });

    test("all twelve flows are IPv6's, and leave by the outside virtual address", () => {
      const [outside] = primaryBackupIpv6.virtualAddresses;
      const { flows } = run().run;
      expect(flows).toHaveLength(12);
      for (const { tuple, natTuple } of flows) {
        expect([tuple.source.address, tuple.destination.address]).toEqual(["2001:db8:168::3", "2001:db8:168:1::3"]);
        expect(natTuple.source.address).toBe(outside?.address);
      }
    });

    test("the survivor announces by neighbour advertisements, each way once the states are in its kernel", () => {
      const { timelines } = run().run;
      expect(timelines.map(({ phase }) => phase)).toEqual(["failover", "failback"]);
      for (const { moments } of timelines) {
        const committed = moments.find(({ step }) => step === "committed");
        const announced = moments.filter(({ step }) => step === "announced");
        expect(announced.map(({ subject }) => subject).toSorted()).toEqual(["br0", "br1"]);
        for (const { atMs, detail } of announced) {
          expect(detail).toMatch(/unsolicited neighbour advertisement/u);
          expect(atMs ?? Number.NaN).toBeGreaterThan((committed?.atMs ?? Number.NaN) - (committed?.errorMs ?? Number.NaN));
        }
      }
    });
  });

  /** The others over IPv6, one failover each. */
  everyNight("omarine-routed: fw-1 loses its power", () => {
    const run = conducted({ config: "omarine-routed-ipv6", fault, story: failoverStory({ tcp: 8, udp: 3, ssh: 1 }) });

    test("every flow survives, nothing is dropped, and omarine's own connections to the client are refused", () => {
      expect(run().run.checks.filter((check) => check.verdict !== "pass")).toEqual([]);
      expect(run().run.verdict).toBe("pass");
    });

    test("omarine sees the client's own address and port", () => {
      expect(run().run.flows.map(({ natTuple }) => natTuple)).toEqual(run().run.flows.map(({ tuple }) => tuple));
      expect(run().run.flows.map(({ tuple }) => tuple.source.address)).toEqual(Array.from({ length: 12 }, () => "2001:db8:168::3"));
    });
  });

  everyNight("test-case, by ip6tables: fw-1 loses its power", () => {
    const run = conducted({ config: "test-case-ipv6", fault, story: failoverStory({ tcp: 8, udp: 0, ssh: 1 }) });

    test("the SSH session and all other connections live, and datagrams to B's echo are never answered", () => {
      expect(run().run.checks.filter((check) => check.verdict !== "pass")).toEqual([]);
      expect(run().run.verdict).toBe("pass");
      expect(new Set(run().run.flows.map(({ natTuple }) => natTuple.source.address))).toEqual(new Set(["2001:db8:168:1::100"]));
    });
  });

  /** The control: the same fault, the same tree, but conntrackd masked on both nodes. It must fail, and for that reason. */
  everyNight("omarine-snat: fw-1 loses its power, and its states were never replicated", () => {
    const run = conducted({
      config: "omarine-snat-ipv6",
      control: "no-conntrackd",
      fault,
      story: failoverStory({ tcp: 8, udp: 3, ssh: 1 }, { lost: true }),
    });

    test("no state was on fw-2 before, no flow survives, and fw-2 drops what it knows nothing of", () => {
      expect(run()).toFail("replicated-before", "flows-survive", "no-drops-on-survivor", "state-on-survivor");
      expect(run().run.flows.filter(({ survived }) => survived)).toEqual([]);
      expect(run().run.verdict).toBe("fail");
    });

    test("the drops are packets of the flows, by fw-2's own log, which has IPv6 addresses with all their zeros", async () => {
      const drops = run().run.checks.find(({ id }) => id === "no-drops-on-survivor");
      expect(drops?.explanation).toMatch(/dropped packets of flows: (?:tcp|udp|ssh)-\d+/u);
      const log = await readFile(join(run().bundle, "observations/failover-after/fw-2/loggedPackets.txt"), "utf8");
      expect(log).toMatch(/SRC=2001:0db8:0168:0001:0000:0000:0000:0003 /u);
    });

    test("nothing else is to blame: all was steady, the fault bit, the addresses moved, the policy held, new connections work", () => {
      expect(run()).toPass("steady-before", "fault-bit", "vips-moved", "new-connections");
    });
  });
});
