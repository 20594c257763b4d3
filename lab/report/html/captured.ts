import type { Run } from "../../evidence/run.ts";

/** Whether there is a capture, and how whole it is, in words. */
export function capturedWords({ capture }: Pick<Run, "capture">): string {
  if (capture === undefined) return "This run has no capture: its lab never came up, or it was made by an fwlab that did not capture.";
  if (capture === "off") return "Packets were not captured in this run: that was asked for.";
  const packets = capture.points.reduce((sum, point) => sum + point.packets, 0);
  const dropped = capture.points.reduce((sum, point) => sum + point.dropped, 0);
  const whole = dropped === 0 ? "none lost by the capture" : `${dropped} lost by the capture`;
  return `${packets.toLocaleString("en-GB")} packets were captured at ${capture.points.length} interfaces, ${whole}${capture.problem === undefined ? "." : `; it is not whole: ${capture.problem}`}`;
}
