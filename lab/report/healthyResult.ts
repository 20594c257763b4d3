import type { Evidence } from "../evidence/evidence.ts";
import type { Run } from "../evidence/run.ts";
import { healthyRun } from "../judge/healthyRun.ts";
import { judge } from "../judge/judge.ts";
import type { RunStart } from "./bundle.ts";

/** What is known of a made-up run at its start, for tests. */
export const start: RunStart = {
  id: "2026-11-20T16-00-32Z-ab12",
  topology: "primary-backup",
  config: { path: "fixtures/omarine-snat", overlays: [], sha256: "ab12".repeat(16) },
  fault: { id: "power-cut", target: "fw-1", atMs: 1_700_000_010_000 },
  versions: { node: "20.20.0", qemu: "7.2.19", kernel: "6.1.0-56-cloud-amd64" },
  host: { accelerator: "tcg", accelReason: "/dev/kvm opens, but a stock kernel did not reach its first process within 10 s", cores: 2, qemu: "7.2.19", guestKernel: "6.1.0-56-cloud-amd64" },
};

/** A made-up run as judged. `change` breaks its evidence first. */
export function resultOf(flows: number, change: (evidence: Evidence) => void = () => undefined): Run {
  const evidence = healthyRun(flows);
  change(evidence);
  return { schema: 1, ...start, ...judge(evidence), durations: { bootMs: 61_200, failoverMs: 3120, failbackMs: 90_500 } };
}
