import { exitCode } from "../lab/failure/failure.ts";
import { stopSignals } from "../lab/host/namespaces.ts";
import { followOuterProcess } from "../lab/host/outerProcess.ts";

/** Milliseconds that a run has, from the signal on, to write its bundle and end by itself: the outer process allows ten seconds. */
const endByMs = 9_000;

/** The reason of an abort by SIGINT, SIGTERM or SIGHUP. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";

  constructor(signal: string) {
    super(`interrupted by ${signal}`);
  }
}

/** For the outer process: aborts at the first signal that asks to stop. While `enterNamespaces` runs, it hands the signals on itself. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  stopSignals.forEach((name) => process.on(name, () => controller.abort(new Interrupted(name))));
  return controller.signal;
}

/**
 * For the first process inside: aborts at the first signal that this process or its outer one gets, and ends the process, whatever it still
 * does, nine seconds later; at once when the outer process is gone.
 */
export function interruptionInside(): AbortSignal {
  const controller = new AbortController();
  followOuterProcess({
    onStop: (name) => {
      if (controller.signal.aborted) {
        return;
      }
      controller.abort(new Interrupted(name));
      setTimeout(() => process.exit(exitCode.invalid), endByMs).unref();
    },
    onGone: () => process.exit(exitCode.invalid),
  });
  return controller.signal;
}
