import { z } from "zod";

const lengthMs = z.number().min(0);

/** How lengths of time are spread, in whole milliseconds. `p95` is interpolated between the two values that it lies between. */
export const distributionSchema = z.object({ min: lengthMs, median: lengthMs, p95: lengthMs, max: lengthMs });

export type Distribution = z.infer<typeof distributionSchema>;
