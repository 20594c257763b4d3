import { cpus, loadavg } from "node:os";

const mostTimes = 4;

/**
 * How many times slower than an idle host this one is just now, by the processes that wait for each of its processors: from 1 to 4. For bounds after which
 * something counts as never: too short, they would blame what is tested for what the host does. Source: getloadavg(3), of the last minute.
 */
export function hostSlowness(load = loadavg()[0] ?? 0, processors = cpus().length): number {
  return Math.min(mostTimes, Math.max(1, load / Math.max(1, processors)));
}
