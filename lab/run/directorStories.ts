import { exitCode, Failure } from "../failure/failure.ts";
import { powerCut } from "../faults/powerCut.ts";
import type { LoadOrder } from "../load/order.ts";
import { parseAddresses } from "../observe/addresses.ts";
import { directorCommand, parseDirector } from "../observe/director.ts";
import type { FlowSpec } from "../traffic/flowSpec.ts";
import { cutPower, resumeWithinMs, sandwichFailover, type SandwichStrike } from "./sandwichFailover.ts";
import type { SandwichRun } from "./sandwichRun.ts";
import { waitUntil, type Waited } from "./waitUntil.ts";

/** Checkers look every 2 s, wait 2 s for an answer, and ask twice; a machine that boots takes longer. */
const checkedWithinMs = 60_000;

export interface DirectorCutOptions {
  readonly specs: readonly FlowSpec[];
  readonly order: LoadOrder;
  /** What breaks the active director, once all is steady; the cut of its power unless another is given. */
  readonly strike?: SandwichStrike;
}

/** The active director loses its power under load and under flows with ledgers, and the other one has been told of their connections. What comes of it is for the judge. */
export async function directorCutStory(run: SandwichRun, { specs, order, strike = cutPower }: DirectorCutOptions): Promise<void> {
  const { active: victim, backup: survivor } = await directorsReady(run);
  await run.open(specs);
  await run.act({ name: "cut", order, meanwhile: () => sandwichFailover(run, { victim, survivor, strike, within: resumeWithinMs }) });
}

/** The director that has the duty, and the one that may take it over. */
export interface Directors {
  readonly active: string;
  readonly backup: string;
}

/**
 * Waits until both directors give connections to all firewalls and one of them has the duty: keepalived tells IPVS's sync daemons anew whenever that moves. Without preemption it is whoever came up
 * first. @throws RangeError when there is one director alone; Failure when nobody has the duty, or both.
 */
export async function directorsReady(run: SandwichRun): Promise<Directors> {
  const { directors, directorAddress, firewalls } = run.topology;
  if (directors.length < 2) throw new RangeError(`${run.topology.name} has one director alone`);
  for (const name of directors) await untilGiven(run, name, firewalls);
  const { value, seen } = await waitUntil<Directors | undefined>({
    progress: run.progress,
    signal: run.signal,
    what: "one director to have the directors' address",
    look: async () => {
      const held = await Promise.all(directors.map(async (name) => parseAddresses(await run.shell(name).must("ip -j addr", { signal: run.signal })).some(({ address }) => address === directorAddress)));
      const holders = directors.filter((_, index) => held[index]);
      const [active] = holders;
      const backup = directors.find((name) => name !== active);
      const found = active !== undefined && backup !== undefined && holders.length === 1 ? { active, backup } : undefined;
      return { reached: found !== undefined, seen: `${holders.join(" and ") || "nobody"} has it`, value: found };
    },
    within: checkedWithinMs,
  });
  if (value === undefined) throw new Failure({ tried: "find the active director", seen, remedy: "Ask the directors for their journals: npx fwlab up, and npx fwlab logs", exit: exitCode.invalid });
  return value;
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
