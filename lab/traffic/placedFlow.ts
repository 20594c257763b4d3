import type { Tuple } from "../evidence/ledger.ts";
import type { FlowSpec } from "./flowSpec.ts";

/** A flow to be opened, numbered by its place in the list. */
export interface NamedSpec {
  readonly id: string;
  readonly spec: FlowSpec;
}

/** Where an open flow runs. `tuple` as the client sees it, `natTuple` as the server does. */
export interface PlacedFlow extends NamedSpec {
  readonly tuple: Tuple;
  readonly natTuple: Tuple;
}
