import { describe } from "vitest";
import { thoroughSuites } from "../lab/run/startLab.ts";

/**
 * A block that a night runs, `npm test -- --thorough`, and whoever names its file: what it claims, another block claims of another tree, so that a change which breaks it is most probably seen without
 * it; or it has nothing to do with what a failover is judged by, and takes long. A control of a kind of its own is never one of these.
 */
export const everyNight = describe.runIf(process.env[thoroughSuites] !== undefined);
