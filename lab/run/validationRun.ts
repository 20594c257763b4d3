import type { FlowKind } from "../evidence/ledger.ts";
import { HostHealthWatch } from "../host/hostHealth.ts";
import { hostSlowness } from "../host/hostLoad.ts";
import type { BootPatience } from "../machine/machine.ts";
import type { Accelerator } from "../machine/qemuArguments.ts";
import { newRunId } from "../report/bundle.ts";
import type { Keeper } from "../report/keeper.ts";
import { mixedFlows, promisedFlows, type FlowCounts, type Pace } from "../traffic/flowSpec.ts";
import type { ExpectedDuty } from "./expectedDuty.ts";
import { judgedRun, type FinishedRun } from "./judgedRun.ts";
import { LabRun } from "./labRun.ts";
import { NeverCameUp } from "./neverCameUp.ts";
import { NotStarted } from "./notStarted.ts";
import { setRun, type RunSetting, type SettingOptions } from "./runSetting.ts";
import { validationStory } from "./validationStory.ts";

export interface ValidationRunOptions extends Omit<SettingOptions, "control" | "fault"> {
  /** Who is to be active, by the config tree's files; without it that is found out by waiting. */
  readonly duty?: ExpectedDuty | undefined;
  /** How many flows, or of each kind how many, of those that the config tree promises to let through; twelve of them unless it is said. */
  readonly flows?: number | FlowCounts | undefined;
  /** Whether the machines are booted even where saved ones could be restored. */
  readonly cold: boolean;
  /** Whether machines that had to be given the tree are kept with it, for the next time; they are not, unless it is said. */
  readonly keepsMachines?: boolean;
  readonly runsFolder: string;
}

/** Enough for each kind and mode, flows that say nothing among them. */
const usualFlows: FlowCounts = { tcp: 8, udp: 3, ssh: 1 };

/**
 * How fast flows speak, however few they are. Records at the pace of fifty flows, at which a run that is not a validation speaks: ten a second of each flow
 * would take half of both endpoints' emulated processors, and show nothing more, as an outage's length comes from the senders' times. Lines at twice a
 * typist's pace, as whoever waits for a session to move waits for a line.
 */
const pace: Pace = { leastIntervalMs: 250, lineMs: 1_000 };

/** The usual number of flows, of these kinds alone; what others would have been falls to the first of these. */
export function usualFlowsOf(kinds: readonly FlowKind[] = ["tcp", "udp", "ssh"]): FlowCounts {
  const counts = { tcp: 0, udp: 0, ssh: 0 };
  for (const [kind, count] of Object.entries(usualFlows) as [FlowKind, number][]) counts[kinds.includes(kind) ? kind : (kinds[0] ?? "tcp")] += count;
  return counts;
}

/**
 * How long a machine may take to start what a config tree says, on a host that does nothing else: three times what four emulated machines on two cores take.
 * Who wants to know whether a tree is right does not wait for minutes for one that never comes up.
 */
const patience: Readonly<Record<Accelerator, BootPatience>> = {
  kvm: { silenceMs: 15_000, bootMs: 40_000 },
  tcg: { silenceMs: 35_000, bootMs: 60_000 },
};

/**
 * The dynamic half of a validation: the warm lab with any config tree, flows, a power cut of the firewall that has the duty, and the way back. The verdict is
 * about the pair: one that does not come up fails, by the check `comes-up`.
 * @throws Failure when host, image, accelerator or config tree do not allow a run at all; as promisedFlows.
 */
export async function conductValidation(options: ValidationRunOptions): Promise<FinishedRun> {
  const { topology, duty, flows, runsFolder, signal } = options;
  const slowness = hostSlowness();
  const setting = await setRun({ ...options, fault: { id: "power-cut", target: duty?.preferred ?? topology.active } });
  const { flows: kinds } = setting.promises;
  const counts = flows === undefined ? usualFlowsOf(kinds) : promisedFlows(flows, kinds);
  const bounds = boundsOf(setting.prepared.choice.accelerator, slowness);
  return judgedRun({
    topology: setting.topology,
    machines: setting.machines,
    start: { id: newRunId(), ...setting.record },
    runsFolder,
    open: (bundle) => opened(options, setting, bounds, bundle),
    story: validationStory({ specs: mixedFlows(counts, topology.server, pace), duty, startsWithinMs: bounds.silenceMs, slowness }),
    signal,
  });
}

function boundsOf(accelerator: Accelerator, slowness: number): BootPatience {
  const { silenceMs, bootMs } = patience[accelerator];
  return { silenceMs: silenceMs * slowness, bootMs: bootMs * slowness };
}

/** Brings the lab up. @throws NeverCameUp when the config tree keeps a machine from starting; Failure when the lab itself does not come up. */
async function opened({ cold, keepsMachines = false, progress, signal }: ValidationRunOptions, setting: RunSetting, bounds: BootPatience, keeper: Keeper): Promise<LabRun> {
  const health = new HostHealthWatch();
  health.start();
  const begin = performance.now();
  try {
    return await LabRun.start({ ...setting, keeper, cold, keepsLaid: keepsMachines, patience: bounds, progress, signal });
  } catch (error) {
    if (!(error instanceof NotStarted)) throw error;
    const arrival = { what: `${error.machine} starts`, reached: false, seen: error.seen, tookMs: performance.now() - begin, withinMs: bounds.silenceMs };
    throw new NeverCameUp(error, { arrivals: [arrival], units: [...error.units], evidence: [`consoles/${error.machine}.log`] }, health.health());
  } finally {
    health.stop();
  }
}
