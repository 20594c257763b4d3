import { describe, expect, test } from "vitest";
import { exitCode, Failure } from "../failure/failure.ts";
import type { CommandResult, MachineShell } from "../machine/shell.ts";
import { compileFirewallBuilder } from "./compileFirewallBuilder.ts";

const compiled: CommandResult = { stdout: " *** Loading data ... done\n Compiled successfully\n", stderr: "", exitCode: 0 };

/** A guest that answers fwb_ipt's command lines, and has the scripts. */
function guest(fwbIpt: Readonly<Record<string, CommandResult>>, scripts: Readonly<Record<string, string>>): { shell: MachineShell; commands: string[] } {
  const commands: string[] = [];
  const run = (command: string): Promise<CommandResult> => {
    commands.push(command);
    const object = /fwb_ipt .* '(?<object>[^']*)' 2>&1/u.exec(command)?.groups?.["object"];
    if (object !== undefined) return Promise.resolve(fwbIpt[object] ?? { stdout: `Error: Firewall object '${object}' not found\n`, stderr: "", exitCode: 1 });
    const script = /^base64 .*\/(?<name>[^/']*)'$/u.exec(command)?.groups?.["name"];
    if (script !== undefined) {
      const content = scripts[script];
      return Promise.resolve(content === undefined ? { stdout: "", stderr: "no such file", exitCode: 1 } : { stdout: Buffer.from(content).toString("base64"), stderr: "", exitCode: 0 });
    }
    return Promise.resolve({ stdout: "", stderr: "", exitCode: 0 });
  };
  return { shell: { name: "fw-1", address: "10.99.0.12", run, must: async (command) => (await run(command)).stdout }, commands };
}

const policy = (text: string) => ({ path: "/trees/mine/office.fwb", tree: "/trees/mine", content: Buffer.from(text) });
const pair = policy('<FWObjectDatabase version="24" lastModified="1767225600" id="root"><Firewall id="a" host_OS="linux24" name="fw-1" comment="x &gt; y"></Firewall><Firewall id="b" name="fw-2"></Firewall></FWObjectDatabase>');
const cluster = policy('<FWObjectDatabase version="24" id="root"><Cluster id="c" host_OS="linux24" name="the pair"></Cluster><Cluster id="d" name="others"></Cluster></FWObjectDatabase>');

async function failure(compilation: Promise<unknown>): Promise<Failure> {
  const thrown: unknown = await compilation.catch((error: unknown) => error);
  if (thrown instanceof Failure) return thrown;
  throw new Error("it was compiled");
}

test("each firewall's object is compiled, with the clock held at the policy's last change, and given back its time in the end", async () => {
  const { shell, commands } = guest({ "fw-1": compiled, "fw-2": compiled }, { "fw-1.fw": "one", "fw-2.fw": "two" });
  const { scripts } = await compileFirewallBuilder(shell, pair, ["fw-1", "fw-2"]);
  expect([...scripts].map(([name, script]) => [name, script.toString()])).toEqual([["fw-1", "one"], ["fw-2", "two"]]);
  expect(commands.filter((command) => command.includes("fwb_ipt ")).every((command) => command.includes("--set=@1767225600;"))).toBe(true);
  expect(commands.at(-1)).toMatch(/^date --utc --set=@(?!1767225600)/u);
});

test("members of a cluster have its rules, and are not compiled by themselves; a cluster of other firewalls is nobody's business", async () => {
  const members: CommandResult = { stdout: "\n Firewall fw-1 member of cluster the pair\n Compiled successfully\n\n Firewall fw-2 member of cluster the pair\n", stderr: "", exitCode: 0 };
  const others: CommandResult = { stdout: " Firewall branch member of cluster others\nothers:Policy:0: error: no matter\n", stderr: "", exitCode: 0 };
  const { shell, commands } = guest({ "the pair": members, others, "fw-1": compiled, "fw-2": compiled }, { "fw-1.fw": "one", "fw-2.fw": "two" });
  const { scripts } = await compileFirewallBuilder(shell, cluster, ["fw-1", "fw-2"]);
  expect(scripts.get("fw-2")?.toString()).toBe("two");
  expect(commands.filter((command) => /fwb_ipt .* 'fw-/u.test(command))).toEqual([]);
});

describe("what does not compile is bad input, in one line", () => {
  test("a firewall object named otherwise: which there are, and which are wanted", async () => {
    const { shell } = guest({ "fw-1": compiled }, { "fw-1.fw": "one" });
    const { exit, seen, remedy } = await failure(compileFirewallBuilder(shell, policy(pair.content.toString().replace("fw-2", "lj-fw-2")), ["fw-1", "fw-2"]));
    expect(exit).toBe(exitCode.usage);
    expect(seen).toContain("fw-1, lj-fw-2");
    expect(remedy).toContain("fw-1, fw-2");
  });

  test("a cluster whose rules do not compile, though fwb_ipt ends with 0", async () => {
    const members: CommandResult = { stdout: " Firewall fw-1 member of cluster the pair\nthe pair:Policy:0: error: Rule '0 (global)' shadows rule '1 (eth0)'  below it\n", stderr: "", exitCode: 0 };
    const { shell } = guest({ "the pair": members, others: compiled, "fw-1": compiled }, { "fw-1.fw": "empty" });
    expect((await failure(compileFirewallBuilder(shell, cluster, ["fw-1"]))).seen).toContain("shadows rule '1 (eth0)'");
  });

  test("a script under another name, and a compiler that hangs", async () => {
    expect((await failure(compileFirewallBuilder(guest({ "fw-1": compiled }, {}).shell, pair, ["fw-1"]))).seen).toContain("not fw-1.fw");
    const hangs = { "fw-1": { stdout: "", stderr: "", exitCode: 124 } };
    expect((await failure(compileFirewallBuilder(guest(hangs, { "fw-1.fw": "half" }).shell, pair, ["fw-1"]))).seen).toMatch(/exit code 124, after 60 s/u);
  });
});
