import { describe, expect, test } from "vitest";
import { primaryBackup } from "../topology/primaryBackup.ts";
import { sandwich } from "../topology/sandwich.ts";
import { graphMermaid, graphText } from "./graph.ts";
import { cutStatus, takenStatus, wellStatus } from "./status.fixture.ts";
import type { LabStatus } from "./words.ts";

const blockedStatus: LabStatus = { ...wellStatus, broken: [{ id: "link-block", target: "client.eth0", atMs: 1_055_000 }] };

describe("how a topology is plugged together", () => {
  test("every NIC stands under its bridge, VLANs and virtual addresses are told", () => {
    const text = graphText(primaryBackup);
    for (const { name, nics } of primaryBackup.machines) for (const nic of nics) expect(text).toContain(`${name}.${nic.name}`);
    expect(text).toContain("virtual addresses: 192.168.1.100 on eth0, 192.168.0.100 on eth1\n");
    expect(graphText(sandwich)).toMatch(/lvs\.eth1\s+10\.162\.0\.10\/24\s+VLAN 162/u);
  });

  test("the flowchart has each machine and native host once, and leaves management out", () => {
    const chart = graphMermaid(sandwich);
    expect(chart.match(/^ {2}egress_router\[/gmu)).toHaveLength(1);
    expect(chart).toContain('clients("clients")');
    expect(chart).not.toContain("mgmt");
  });

  test("nothing is said of a state that nobody has looked at", () => {
    expect(graphText(primaryBackup)).not.toMatch(/machines|MASTER|holds|nobody/u);
    expect(graphMermaid(primaryBackup)).not.toMatch(/:::|classDef|linkStyle|<br\/>/u);
  });
});

describe("a lab that stands, as text", () => {
  const linesOf = (status: LabStatus, start: string) => graphText(primaryBackup, status).split("\n").filter((line) => line.slice(3).startsWith(start)).map((line) => line.slice(3).replace(/\s+/gu, " "));

  test("each address stands at the NIC that holds it, each VRRP state at its machine", () => {
    expect(linesOf(wellStatus, "fw-1")).toEqual(["fw-1.eth0 192.168.1.1/24 holds 192.168.1.100", "fw-1.eth1 192.168.0.1/24 holds 192.168.0.100", "fw-1.eth2 192.168.2.1/24", "fw-1.mgmt0 10.99.0.12/24", "fw-1 MASTER, holds 192.168.1.100 192.168.0.100"]);
    expect(linesOf(wellStatus, "fw-2 ")).toEqual(["fw-2 BACKUP"]);
    expect(linesOf(wellStatus, "client ")).toEqual(["client up"]);
    expect(graphText(primaryBackup, wellStatus)).toContain("virtual addresses: 192.168.1.100 on eth0: fw-1, 192.168.0.100 on eth1: fw-1\n");
  });

  test("a machine that was cut is told at each of its NICs, and addresses that nobody holds", () => {
    expect(linesOf(cutStatus, "fw-1")).toEqual(["fw-1.eth0 192.168.1.1/24 power-cut", "fw-1.eth1 192.168.0.1/24 power-cut", "fw-1.eth2 192.168.2.1/24 power-cut", "fw-1.mgmt0 10.99.0.12/24 power-cut", "fw-1 power-cut"]);
    expect(graphText(primaryBackup, cutStatus)).toContain("192.168.1.100 on eth0: nobody");
    expect(graphText(primaryBackup, takenStatus)).toContain("192.168.1.100 on eth0: fw-2");
  });

  test("an address that two hold is told of both, and a link that is blocked at its NIC", () => {
    const [client, fw1, , omarine] = wellStatus.machines;
    const other = takenStatus.machines.find(({ name }) => name === "fw-2");
    if (client === undefined || fw1 === undefined || other === undefined || omarine === undefined) throw new Error("the fixture has four machines");
    expect(graphText(primaryBackup, { ...wellStatus, machines: [client, fw1, other, omarine] })).toContain("192.168.1.100 on eth0: fw-1 and fw-2");
    expect(linesOf(blockedStatus, "client")).toEqual(["client.eth0 192.168.0.3/24 BLOCKED", "client.mgmt0 10.99.0.11/24", "client up"]);
  });
});

describe("a lab that stands, as a flowchart", () => {
  test("who has the duty, who waits and who is cut are of a class of their own, and say more", () => {
    expect(graphMermaid(primaryBackup, wellStatus)).toContain('fw_1["fw-1<br/>MASTER<br/>holds 192.168.1.100 192.168.0.100"]:::active');
    expect(graphMermaid(primaryBackup, wellStatus)).toContain('fw_2["fw-2<br/>BACKUP"]:::waiting');
    expect(graphMermaid(primaryBackup, takenStatus)).toContain('fw_1["fw-1<br/>power-cut"]:::trouble');
    for (const [, name] of graphMermaid(primaryBackup, takenStatus).matchAll(/:::(\w+)/gu)) expect(graphMermaid(primaryBackup, takenStatus)).toContain(`classDef ${name ?? ""} `);
  });

  test("the link that is blocked, and no other, is dotted and has a colour: links count from 0 in their order", () => {
    const lines = graphMermaid(primaryBackup, blockedStatus).split("\n");
    const links = lines.filter((line) => / -(?:--|\.-)\|/u.test(line));
    expect(links.filter((line) => line.includes("-.-"))).toEqual(['  client -.-|"eth0 192.168.0.3 BLOCKED"| br1']);
    expect(lines.filter((line) => line.includes("linkStyle"))).toEqual([expect.stringContaining(`linkStyle ${links.findIndex((line) => line.includes("BLOCKED"))} `)]);
  });
});
