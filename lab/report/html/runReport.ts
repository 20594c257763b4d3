import { carriedSection } from "./carriedSection.ts";
import { documentOf, type Section } from "./document.ts";
import { dropsSection } from "./dropsSection.ts";
import { firstLook } from "./firstLook.ts";
import { groundSection, verdictHead } from "./ground.ts";
import { html } from "./markup.ts";
import { networkSection } from "./networkSection.ts";
import { progressSection } from "./progressSection.ts";
import { checksSection, filesSection, flowsSection } from "./results.ts";
import { storyOf, type RunReportInput } from "./runInput.ts";
import { sandwichNetworkSection } from "./sandwichNetwork.ts";
import { spreadSection } from "./spreadSection.ts";
import { timelineSection } from "./timelineSection.ts";

/**
 * A run for people who were not there, as one HTML file that needs neither script nor network. It lies at the root of the bundle as `report.html`,
 * and its links lead to the bundle's files. Everything in it comes from the input.
 */
export async function renderRunReport(input: RunReportInput): Promise<string> {
  const story = storyOf(input);
  const { run } = story;
  // The timeline and what follows from it are told of one duty and who has it; in a sandwich both firewalls have theirs.
  const ofPair = run.stretches === undefined;
  const sections: Section[] = [
    ...(run.verdict === "pass" ? [] : [{ id: "first", heading: "Look at this first", body: await firstLook(story) }]),
    { id: "ground", heading: "What was run", body: groundSection(story) },
    ...(ofPair ? [] : [{ id: "carried", heading: "Who carried what", body: await carriedSection(story) }, { id: "network", heading: "What happened where", body: sandwichNetworkSection(story) }]),
    ...(ofPair ? [{ id: "network", heading: "What happened where", body: networkSection(story) }, { id: "timeline", heading: "Timeline", body: await timelineSection(story) }] : []),
    ...(ofPair || run.flows.length > 0 ? [{ id: "progress", heading: "Each flow across the fault", body: await progressSection(story) }] : []),
    ...(ofPair ? [{ id: "spread", heading: "How the outage is spread", body: await spreadSection(story) }, { id: "drops", heading: "Dropped packets", body: dropsSection(story) }] : []),
    { id: "checks", heading: "Checks", body: checksSection(story) },
    { id: "flows", heading: "Flows", body: flowsSection(story) },
    { id: "files", heading: "Capture and files", body: filesSection(story) },
  ];
  return documentOf({ title: `${run.verdict.toUpperCase()}: fwlab run ${run.id}`, head: verdictHead(story), sections, foot: html`fwlab run ${run.id}. Made from the bundle in whose folder this page lies.` });
}
