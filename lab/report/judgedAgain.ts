import type { Comparison } from "./differences.ts";
import { pageOf, type TerminalLook } from "./page.ts";

/** Most differences that are told one by one on a terminal; `--json` tells all. */
const mostTold = 20;

/** How a new judgement stands to the recorded one, for people. @param remarks what else is to be said of the bundle, each in a line. */
export function renderComparison({ differences, notCompared }: Comparison, remarks: readonly string[], look: TerminalLook): string {
  const { fact, colors } = pageOf(look);
  const agrees = differences.length === 0;
  const word = agrees ? colors.green("agrees") : colors.red("differs");
  const most = differences.slice(0, mostTold);
  return [
    "",
    fact("recorded", agrees ? "agrees with this judgement" : `differs from this judgement in ${differences.length} ${differences.length === 1 ? "figure" : "figures"}`).replace(agrees ? "agrees" : "differs", word),
    ...most.map(({ what, recorded, again }) => fact("", `${what}: recorded ${shortened(recorded)}, now ${shortened(again)}`)),
    ...(differences.length > mostTold ? [fact("", `and ${differences.length - mostTold} more: --json tells them`)] : []),
    ...(notCompared.length > 0 ? [fact("", `not compared, for its fwlab did not tell them: ${notCompared.join(", ")}`)] : []),
    ...remarks.map((remark) => fact("config", remark)),
  ].join("\n");
}

function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 297)}...` : text;
}
