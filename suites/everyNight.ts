import { describe } from "vitest";
import { thoroughSuites } from "../lab/run/startLab.ts";

/**
 * A block that a night runs, and `npm test -- --thorough`: what it claims, another block claims of another tree, so that a change which breaks it is most probably seen without it. A control of a kind
 * of its own is never one of these.
 */
export const everyNight = describe.runIf(process.env[thoroughSuites] !== undefined);
