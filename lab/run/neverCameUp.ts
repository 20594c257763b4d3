import type { ComingUp } from "../evidence/comingUp.ts";
import type { HostHealth } from "../evidence/evidence.ts";
import { exitCode, Failure } from "../failure/failure.ts";

/** A lab that does not come up because of its config tree: that is evidence against the tree, and no trouble of the lab's. */
export class NeverCameUp extends Failure {
  readonly comingUp: ComingUp;
  readonly hostHealth: HostHealth;

  constructor(cause: Failure, comingUp: ComingUp, hostHealth: HostHealth) {
    const { tried, seen, remedy, details } = cause;
    super({ tried, seen, remedy, details, exit: exitCode.fail, cause });
    this.comingUp = comingUp;
    this.hostHealth = hostHealth;
  }
}
