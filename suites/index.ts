import "./matchers.ts";

/** What a suite of vitest's needs, in another repository too: run by `fwlab test FILE…`, which gives it namespaces. */
export { conducted, type ConductedOptions } from "./conducted.ts";
