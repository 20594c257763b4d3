import { findProgram, installCommand } from "../host/requirements.ts";
import { spiceMend, withoutSpice } from "../host/spice.ts";
import { partOf, type HostPart } from "./part.ts";

/** What a host has for graphical consoles: why its QEMU gives none, where it does not, and the viewer's path. */
export interface Graphical {
  readonly without: string | undefined;
  readonly viewer: string | undefined;
}

/** Asks QEMU, and looks for the viewer. @throws the signal's reason. */
export async function lookAtGraphical(signal?: AbortSignal): Promise<Graphical> {
  return { without: await withoutSpice(signal), viewer: findProgram("remote-viewer") };
}

/** Judges it. */
export function graphicalPart({ without, viewer }: Graphical): HostPart {
  const name = "graphical consoles";
  if (without !== undefined) return partOf(name, "fwlab up has no --spice", { state: "slower", seen: `QEMU has no SPICE: ${without}`, mend: spiceMend });
  return partOf(name, "fwlab up --spice does its part, and is looked at from another host; npm test skips what looks at it", {
    state: viewer === undefined ? "slower" : "works",
    seen: viewer === undefined ? "QEMU has SPICE; no remote-viewer found" : `QEMU has SPICE; ${viewer}`,
    mend: installCommand(["virt-viewer"]),
  });
}
