import type { Look } from "../../evidence/observation.ts";
import type { CheckResult } from "../../evidence/run.ts";
import { dropQuotes } from "./dropQuotes.ts";
import { journalQuote } from "./journalQuote.ts";
import { ledgerQuote } from "./ledgerQuote.ts";
import { excerpt, lastLines, linesWith, type Quote } from "./quote.ts";
import type { RunStory, TransitionStory } from "./runInput.ts";

/** Flows that are told of one by one. */
const mostFlows = 3;
const mostFiles = 4;
const mostLines = 6;

/** The lines of the bundle that show why a check does not hold: of its own evidence, and what the daemons wrote then. */
export async function quotesOf(check: CheckResult, story: RunStory): Promise<Quote[]> {
  const here = story.transitions.find(({ transition }) => transition.phase === check.phase);
  if (here === undefined) return hostQuote(check, story);
  const named = story.figures.filter(({ flow }) => check.explanation.includes(flow.id)).slice(0, mostFlows);
  switch (check.id) {
    case "no-drops-on-survivor":
      return [...unansweredQuotes(check, here), ...(await dropQuotes(story, here))];
    case "flows-survive":
    case "outage-in-bound":
      return [...named.map((figures) => ledgerQuote(figures, here)), ...(await journalOf(story, here, "after", here.transition.fault.atMs))];
    case "new-connections":
      return probeQuote(here);
    default:
      return [...unansweredQuotes(check, here), ...(await evidenceQuotes(check, story, here)), ...(await journalFor(check, story, here))];
  }
}

/** Looks that got no answer, as the tool said so. */
function unansweredQuotes({ evidence }: CheckResult, { transition: { before, after } }: TransitionStory): Quote[] {
  const looks = [before, after].flatMap((observation) => [...Object.values(observation.firewalls).flatMap((views) => Object.values(views) as Look<unknown>[]), ...Object.values(observation.neighbours), ...Object.values(observation.forwarding)]);
  return looks.flatMap((look) => (look.ok || !evidence.includes(look.source) ? [] : [{ file: look.source, shows: "The tool gave no answer that can be used", lines: [{ text: look.error, marked: true }] }]));
}

/** Lines of a check's own files that hold what it is about: the flows that it names, and the virtual addresses; or that none does. */
async function evidenceQuotes(check: CheckResult, { read, figures, topology }: RunStory, here: TransitionStory): Promise<Quote[]> {
  const flows = figures.filter(({ flow }) => check.explanation.includes(flow.id)).slice(0, mostFlows);
  const ports = flows.map(({ flow }) => flow.tuple.source.port);
  const addresses = check.id === "vips-moved" || check.id === "steady-before" ? (topology?.virtualAddresses ?? []).map(({ address }) => address) : [];
  const needles = [...addresses.map((address) => `"${address}"`), ...addresses.map((address) => `${address} `), ...ports.map((port) => `sport=${port} `)];
  const failed = unansweredQuotes(check, here).map(({ file }) => file);
  const files = check.evidence.filter((file) => !failed.includes(file) && (file.endsWith(".log") || (file.endsWith(".txt") && needles.length > 0)));
  const quotes = await Promise.all(
    files.slice(0, mostFiles).map(async (file): Promise<Quote[]> => {
      const text = await read(file);
      if (text === undefined) return [];
      if (file.endsWith(".log")) return [{ file, shows: "The console's last lines", lines: lastLines(text, mostLines) }];
      const lines = linesWith(text, needles, mostLines);
      const entries = text.split("\n").filter((line) => line.trim() !== "").length;
      const what = ports.length > 0 ? `the client's port ${ports.join(", ")} of ${flows.map(({ flow }) => flow.id).join(", ")}` : addresses.join(", ");
      return [lines.length > 0 ? { file, shows: `Lines that name ${what}`, lines } : { file, shows: `No line names ${what}`, lines: entries === 0 ? [{ text: "(the file is empty)" }] : [{ text: `(none of ${entries} lines)` }, ...lastLines(text, 3)] }];
    }),
  );
  return quotes.flat().filter(({ lines }) => lines.length > 0);
}

function journalFor({ id }: CheckResult, story: RunStory, here: TransitionStory): Promise<Quote[]> {
  const { before, fault } = here.transition;
  if (id === "replicated-before" || id === "steady-before") return journalOf(story, here, "before", before.atMs);
  return id === "fault-bit" ? Promise.resolve([]) : journalOf(story, here, "after", fault.atMs);
}

/** What the daemons of the firewall that was to take over wrote. */
async function journalOf({ read, files }: RunStory, { transition: { phase, to } }: TransitionStory, moment: "before" | "after", atMs: number): Promise<Quote[]> {
  const file = [`journals/${phase}-${moment}/${to}.txt`, `journals/${phase}-after/${to}.txt`].find((path) => files.has(path));
  const text = file === undefined ? undefined : await read(file);
  const quote = file === undefined || text === undefined ? undefined : journalQuote(file, text, atMs);
  return quote === undefined ? [] : [quote];
}

/** The probes, as the evidence has them. */
function probeQuote({ transition: { probes } }: TransitionStory): Quote[] {
  const wrong = (probe: (typeof probes)[number]) => (probe.id === "allowed-service" ? probe.outcome !== "answered" && probe.moment !== "during" : probe.outcome === "answered" || probe.packetsThrough > 0);
  return [{ file: "evidence.json", shows: "What the probes saw", lines: probes.map((probe) => ({ text: excerpt(JSON.stringify(probe)), marked: wrong(probe) })) }];
}

/** What the checks of the whole run rest on, as the evidence has it. */
function hostQuote({ id }: CheckResult, { evidence }: RunStory): Quote[] {
  if (id === "host-health") return [{ file: "evidence.json", shows: "How late the host was", lines: [{ text: JSON.stringify(evidence.hostHealth), marked: true }] }];
  if (id !== "capture-whole" || evidence.capture === undefined || evidence.capture === "off") return [];
  const { points, problem } = evidence.capture;
  const lines = points.map((point) => ({ text: JSON.stringify(point), marked: point.dropped > 0 }));
  return [{ file: "evidence.json", shows: "What was captured at each interface", lines: [...(problem === undefined ? [] : [{ text: problem, marked: true }]), ...lines] }];
}
