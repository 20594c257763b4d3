import { decodeCapture } from "../capture/decode.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { Packet } from "../evidence/packet.ts";
import { exitCode, Failure } from "../failure/failure.ts";
import { topologies } from "../judge/topologies.ts";
import { captureFile } from "../report/readBundle.ts";

/**
 * The packets of a bundle's capture that are judged by, which are all but TCP and UDP on the bridges; undefined when its evidence has none. Not decoded for a run that was interrupted by this very signal: somebody
 * waits for it to end, and it is invalid whatever they say.
 * @throws Failure as decodeCapture, and when the file does not hold as many packets as its evidence says.
 */
export async function packetsOf(bundle: string, evidence: Pick<Evidence, "capture" | "topology">, signal: AbortSignal): Promise<readonly Packet[] | undefined> {
  const { capture } = evidence;
  if (capture === undefined || capture === "off" || signal.aborted) return undefined;
  const file = await captureFile(bundle, evidence);
  if (file === undefined) return undefined;
  const { packets, frames } = await decodeCapture(file, signal, { countDataAt: topologies.get(evidence.topology)?.bridges ?? [] });
  // One that has a problem is known not to be whole, and its run invalid.
  const other = capture.problem !== undefined ? undefined : capture.points.find((point) => point.packets !== (frames.get(point.interface) ?? 0));
  if (other !== undefined) {
    throw new Failure({
      tried: `read the capture ${file}`,
      seen: `it holds ${frames.get(other.interface) ?? 0} packets of ${other.interface}, and ${other.packets} were captured`,
      remedy: "The capture is cut short, or another run's: take it from its first copy",
      exit: exitCode.usage,
    });
  }
  return packets;
}
