import { powerCut } from "../faults/powerCut.ts";
import type { LoadOrder } from "../load/order.ts";
import { directorCommand, parseDirector } from "../observe/director.ts";
import type { FlowSpec } from "../traffic/flowSpec.ts";
import { outageBoundMs } from "./failover.ts";
import type { SandwichRun } from "./sandwichRun.ts";
import { waitUntil, type Waited } from "./waitUntil.ts";

/** Steady traffic around a transition, in milliseconds (RFC 6413). */
const steadyMs = 5_200;
const resumeWithinMs = outageBoundMs + 15_000;
/** Checkers look every 2 s, wait 2 s for an answer, and ask twice; a machine that boots takes longer. */
const checkedWithinMs = 60_000;

export interface DirectorCutOptions {
  readonly specs: readonly FlowSpec[];
  readonly order: LoadOrder;
}

/** The active director loses its power under load and under flows with ledgers, and the other one has been told of their connections. What comes of it is for the judge. */
export async function directorCutStory(run: SandwichRun, { specs, order }: DirectorCutOptions): Promise<void> {
  const victim = run.topology.director;
  const survivor = await directorsReady(run);
  await run.open(specs);
  const meanwhile = async (): Promise<void> => {
    await run.followEvents();
    const [before] = await Promise.all([run.observe("failover-before"), run.wait(steadyMs)]);
    await run.measureClocks();
    const fault = await powerCut(run.lab.machine(victim));
    run.progress.note(`fault: ${fault.effect.measured}`);
    await run.flows.wake(run.signal);
    await run.flows.resumed({ afterMs: fault.atMs, within: resumeWithinMs, signal: run.signal });
    await run.wait(steadyMs);
    run.transitions.push({ phase: "failover", from: victim, to: survivor, fault, before, after: await run.observe("failover-after"), probes: [], outageBoundMs });
  };
  await run.act({ name: "cut", order, meanwhile });
}

/**
 * Waits until both directors give connections to all firewalls and the first has the duty: keepalived tells IPVS's sync daemons anew whenever the duty moves. Gives the other's name.
 * @throws RangeError when there is one director alone.
 */
export async function directorsReady(run: SandwichRun): Promise<string> {
  const { director: active, directors, firewalls } = run.topology;
  const backup = directors.find((name) => name !== active);
  if (backup === undefined) throw new RangeError(`${run.topology.name} has one director alone`);
  await untilGiven(run, active, firewalls);
  await untilGiven(run, backup, firewalls);
  await waitUntil({
    progress: run.progress,
    signal: run.signal,
    what: `${active} to have the directors' address`,
    look: async () => {
      const holder = await run.activeDirector();
      return { reached: holder === active, seen: `${holder} has it`, value: undefined };
    },
    within: checkedWithinMs,
  });
  return backup;
}

/** Acts of a run in which a firewall that does not forward any more is found out, and one that does again. */
export const healthActs = { all: "all firewalls", one: "one firewall", again: "all again" } as const;

/**
 * A firewall loses its power; the director's checkers find out, and give it nothing any more; it is back, and they give it its share again. Three acts of load: before, when it has been found
 * out, and when it is back.
 */
export async function healthStory(run: SandwichRun, { order, actMs }: { readonly order: LoadOrder; readonly actMs: number }): Promise<void> {
  const { director, firewalls } = run.topology;
  const [victim, ...others] = firewalls;
  if (victim === undefined) throw new RangeError("the sandwich has no firewalls");
  const act = (name: string) => run.act({ name, order, meanwhile: () => run.wait(actMs) });
  await untilGiven(run, director, firewalls);
  await act(healthActs.all);
  await powerCut(run.lab.machine(victim));
  await untilGiven(run, director, others);
  await act(healthActs.one);
  await run.lab.boot(victim);
  await untilGiven(run, director, firewalls);
  await act(healthActs.again);
}

/** Waits until a director's table holds these firewalls, by their own addresses, and no others. */
function untilGiven(run: SandwichRun, director: string, firewalls: readonly string[]): Promise<Waited<undefined>> {
  const wanted = run.topology.machines
    .filter(({ name }) => firewalls.includes(name))
    .flatMap(({ nics }) => nics.filter(({ name }) => name === run.topology.ingressNic).map(({ address }) => address.replace(/\/\d+$/u, "")));
  return waitUntil({
    progress: run.progress,
    signal: run.signal,
    what: `${director} to give connections to ${firewalls.join(" and ")}${firewalls.length === 1 ? " alone" : ""}`,
    machine: director,
    look: async () => {
      const { stdout } = await run.shell(director).run(directorCommand, { signal: run.signal });
      const servers = /^ {2}-> \d/mu.test(stdout) ? parseDirector(stdout).servers.map(({ address }) => address) : [];
      return { reached: servers.length === wanted.length && wanted.every((address) => servers.includes(address)), seen: servers.join(" and ") || "nobody", value: undefined };
    },
    within: checkedWithinMs,
  });
}
