import { Option } from "commander";
import { placeOf, type LabPlace } from "../lab/hand/place.ts";

/** The option that says which of the standing labs is meant. */
export function labNameOption(): Option {
  return new Option("--lab <name>", "which lab, where several stand").argParser<LabPlace>((name) => placeOf(name)).default(placeOf("lab"), "lab");
}

/** What `labNameOption` gives. */
export interface LabNameOption {
  readonly lab: LabPlace;
}
