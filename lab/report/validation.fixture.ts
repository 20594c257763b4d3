import type { Finding } from "../evidence/finding.ts";
import type { FailingCheck, Validation } from "../evidence/validation.ts";

/** Findings of each severity, as validate's rules make them. */
export const findings: readonly Finding[] = [
  {
    ...{ id: "vrid-differs", severity: "error", certainty: "certain", machine: "fw-2", file: "fw-2/etc/keepalived/keepalived.conf", line: 35 },
    wrong: "instance inside has virtual_router_id 12, on fw-1 it has 11",
    causes: "neither hears the other's adverts, and both hold 192.168.0.100",
    remedy: "Give instance inside the same virtual_router_id on both",
    explains: ["steady-before", "flows-survive"],
    also: [{ file: "fw-1/etc/keepalived/keepalived.conf", line: 36 }],
  },
  {
    ...{ id: "tcp-loose", severity: "warning", certainty: "likely", machine: "fw-1", file: "common/etc/sysctl.d/60 firewall.conf", line: null },
    wrong: "nf_conntrack_tcp_loose is 1, and forward takes NEW without SYN",
    causes: "a firewall without states lets the middle of any connection through",
    remedy: "Set net.netfilter.nf_conntrack_tcp_loose = 0",
    explains: ["new-connections"],
    also: [],
  },
  {
    ...{ id: "hash-size-differs", severity: "hint", certainty: "possible", machine: "fw-2", file: "fw-2/etc/conntrackd/conntrackd.conf", line: 18 },
    wrong: "HashSize is 16384, on fw-1 it is 32768",
    causes: "look-ups on fw-2 take longer",
    remedy: "Give both the same",
    explains: [],
    also: [],
  },
];

const failing: readonly FailingCheck[] = [
  { id: "flows-survive", phase: "failover", verdict: "fail", measured: "0 of 12 flows survived", allowed: "all 12", explanation: "tcp-001 never resumed", explainedBy: [0] },
  { id: "outage-in-bound", phase: "failover", verdict: "fail", measured: "longest stall 31000 ms", allowed: "at most 10000 ms", explanation: "tcp-001 stood still", explainedBy: [] },
];

/** A validation that fails by its files and in its run. */
export const failedValidation: Validation = {
  ...{ schema: 1, id: "2026-11-21T12-00-00Z-abcd", verdict: "fail", reason: "the run fails: 0 of 12 flows survived; explained by fw-2/etc/keepalived/keepalived.conf:35: instance inside has virtual_router_id 12, on fw-1 it has 11" },
  config: { path: "site/pair", base: "fixtures/omarine-snat", policy: null, sha256: "a".repeat(64) },
  promises: { topology: "primary-backup" },
  findings: [...findings],
  run: { id: "2026-11-21T12-00-00Z-abcd", bundle: "runs/2026-11-21T12-00-00Z-abcd", verdict: "fail", reason: "0 of 12 flows survived", failing: [...failing] },
  durations: { staticMs: 9_400, dynamicMs: 44_100, totalMs: 53_500 },
};
