import { Failure } from "../failure/failure.ts";

/** Flows that do not open, or do not move, though both agents answer: what is between them does not let them through. */
export class FlowsNotOpen extends Failure {}
