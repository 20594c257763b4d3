import type { FlowResult } from "../../evidence/run.ts";
import { addressWithPort } from "../../topology/address.ts";
import { byBadness, everyFlow, groupedFlows, worst } from "../flowTable.ts";
import { capturedWords } from "./captured.ts";
import { fileLink, fileLinks } from "./evidenceLinks.ts";
import { html, visible, type Markup } from "./markup.ts";
import type { RunStory } from "./runInput.ts";
import { grouped, moment, ms, table, verdictMark, type Column } from "./words.ts";

/** All checks with measured, allowed and where the evidence is. */
export function checksSection({ run: { checks }, files }: RunStory): Markup {
  if (checks.length === 0) return html`<p>No check was made.</p>`;
  const count = (verdict: string) => checks.filter((check) => check.verdict === verdict).length;
  return table(
    `${checks.length} checks: ${count("pass")} pass, ${count("fail")} fail, ${count("invalid")} cannot be judged`,
    [
      { name: "Check", cell: ({ id }) => id },
      { name: "Phase", cell: ({ phase }) => phase },
      { name: "Verdict", cell: ({ verdict }) => verdictMark(verdict) },
      { name: "Measured", cell: ({ measured, verdict, explanation }) => html`${visible(measured)}${verdict === "pass" ? null : html`<br /><strong>${visible(explanation)}</strong>`}` },
      { name: "Allowed", cell: ({ allowed }) => visible(allowed) },
      { name: "Evidence", cell: ({ evidence }) => fileLinks(evidence, files) },
    ],
    checks,
  );
}

const figures: readonly Column<Pick<FlowResult, "sent" | "received" | "lost" | "duplicated" | "reordered" | "corrupt" | "resets" | "stallMs">>[] = [
  { name: "Sent", number: true, cell: ({ sent }) => grouped(sent) },
  { name: "Received", number: true, cell: ({ received }) => grouped(received) },
  { name: "Lost", number: true, cell: ({ lost }) => grouped(lost) },
  { name: "Doubled", number: true, cell: ({ duplicated }) => grouped(duplicated) },
  { name: "Reordered", number: true, cell: ({ reordered }) => grouped(reordered) },
  { name: "Corrupt", number: true, cell: ({ corrupt }) => grouped(corrupt) },
  { name: "Resets", number: true, cell: ({ resets }) => grouped(resets) },
  { name: "Longest stall", number: true, cell: ({ stallMs }) => ms(stallMs) },
];

/** All flows up to 60; else sums by kind and mode, and the worst. */
export function flowsSection({ run: { flows } }: RunStory): Markup {
  if (flows.length === 0) return html`<p>No flow was opened.</p>`;
  if (flows.length <= everyFlow) return flowTable(`All ${flows.length} flows, over the whole run`, flows);
  const groups = [...groupedFlows(flows).values()].map((group) => ({ ...sumOf(group), first: group[0], flows: group.length, survived: group.filter(({ survived }) => survived).length }));
  return html`
    ${table(
      `${flows.length} flows by kind and mode`,
      [
        { name: "Kind and mode", cell: ({ first }) => `${first?.kind ?? ""} ${first?.mode ?? ""}` },
        { name: "Survived", number: true, cell: (group) => `${group.survived} of ${group.flows}` },
        ...figures,
      ],
      groups,
    )}
    ${flowTable(`The worst ${worst} of ${flows.length} flows`, flows.toSorted(byBadness).slice(0, worst))}
  `;
}

function flowTable(caption: string, flows: readonly FlowResult[]): Markup {
  return table(
    caption,
    [
      { name: "Flow", cell: ({ id }) => visible(id) },
      { name: "Survived", cell: ({ survived, resets }) => (survived ? html`<span class="verdict pass"><span aria-hidden="true">✔</span>yes</span>` : html`<span class="verdict fail"><span aria-hidden="true">✘</span>${resets > 0 ? "no, reset" : "no"}</span>`) },
      ...figures,
      { name: "Kind and mode", cell: ({ kind, mode }) => `${kind} ${mode}` },
      { name: "Client sees", cell: ({ tuple }) => html`<span class="mono">${tupleWords(tuple)}</span>` },
      { name: "After NAT", cell: ({ natTuple }) => html`<span class="mono">${tupleWords(natTuple)}</span>` },
    ],
    flows,
  );
}

function tupleWords({ source, destination }: FlowResult["tuple"]): string {
  return visible(`${addressWithPort(source.address, source.port)} > ${addressWithPort(destination.address, destination.port)}`);
}

function sumOf(flows: readonly FlowResult[]) {
  const sum = (count: (flow: FlowResult) => number) => flows.reduce((total, flow) => total + count(flow), 0);
  const stalls = flows.flatMap(({ stallMs }) => stallMs ?? []);
  return {
    sent: sum(({ sent }) => sent),
    received: sum(({ received }) => received),
    lost: sum(({ lost }) => lost),
    duplicated: sum(({ duplicated }) => duplicated),
    reordered: sum(({ reordered }) => reordered),
    corrupt: sum(({ corrupt }) => corrupt),
    resets: sum(({ resets }) => resets),
    stallMs: stalls.length === 0 ? null : Math.max(...stalls),
  };
}

/** More files than this are not listed one by one. */
const mostFiles = 400;

/** The capture's statistics, and all files of the bundle. */
export function filesSection({ run, files }: RunStory): Markup {
  const { capture } = run;
  const paths = [...files].sort();
  return html`
    <p>${capturedWords(run)}</p>
    ${
      capture === undefined || capture === "off"
        ? null
        : table(
            `Packets by interface, from ${moment(capture.startedAtMs)} to ${moment(capture.stoppedAtMs)}; the first ${capture.snapLength} bytes of each are kept`,
            [
              { name: "Interface", cell: (point) => visible(point.interface) },
              { name: "Packets", number: true, cell: ({ packets }) => grouped(packets) },
              { name: "Lost by the capture", number: true, cell: ({ dropped }) => grouped(dropped) },
            ],
            capture.points,
          )
    }
    <details><summary>All ${paths.length} files of the bundle</summary>
      <ul class="files">${paths.slice(0, mostFiles).map((path) => html`<li>${fileLink(path, files)}</li>`)}</ul>
      ${paths.length > mostFiles ? html`<p>and ${paths.length - mostFiles} more</p>` : null}
    </details>
  `;
}
