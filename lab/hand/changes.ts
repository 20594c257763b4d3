import type { LabStatus, StatusMachine } from "./words.ts";

/** What became different between two looks at a lab, in words, with when it was seen (host's epoch clock). */
export interface Change {
  readonly atMs: number;
  readonly text: string;
  /** Whether it is nothing that a lab left alone does. */
  readonly bad: boolean;
}

/** What changed from one look to the next. Pure. */
export function changesBetween(before: LabStatus, after: LabStatus, atMs: number): Change[] {
  const change = (text: string, bad = false): Change => ({ atMs, text, bad });
  const machines = after.machines.flatMap((machine) => {
    const earlier = before.machines.find(({ name }) => name === machine.name);
    return earlier === undefined ? [] : machineChanges(earlier, machine).map(({ text, bad }) => change(text, bad));
  });
  const broken = after.broken.filter(({ target }) => !before.broken.some((each) => each.target === target)).map(({ id, target }) => change(`${id} of ${target}`, true));
  const healed = before.broken.filter(({ target }) => !after.broken.some((each) => each.target === target)).map(({ id, target }) => change(`healed: ${id} of ${target}`));
  return [...broken, ...healed, ...machines, ...flowChanges(before.flows, after.flows).map(({ text, bad }) => change(text, bad))];
}

type Words = Omit<Change, "atMs">;

function machineChanges(before: StatusMachine, after: StatusMachine): Words[] {
  const { name } = after;
  const words: Words[] = before.state === after.state ? [] : [{ text: `${name} is ${after.state}`, bad: after.state === "off" }];
  if (after.firewall === undefined || before.firewall === undefined) return words;
  if (after.firewall === null) return before.firewall === null ? words : [...words, { text: `${name} does not answer`, bad: true }];
  const [had, has] = [before.firewall?.holds ?? [], after.firewall.holds];
  const [gained, lost] = [has.filter((address) => !had.includes(address)), had.filter((address) => !has.includes(address))];
  if (gained.length > 0) words.push({ text: `${name} took ${gained.join(" and ")}`, bad: false });
  if (lost.length > 0) words.push({ text: `${name} gave ${lost.join(" and ")} up`, bad: false });
  const lostMessages = (after.firewall.replication?.lost ?? 0) - (before.firewall?.replication?.lost ?? 0);
  if (lostMessages > 0) words.push({ text: `${name} missed messages of the replication: conntrackd counts ${lostMessages} more lost`, bad: true });
  return words;
}

function flowChanges(before: LabStatus["flows"], after: LabStatus["flows"]): Words[] {
  if (before === null || after === null) return [];
  const stopped = after.still.filter((id) => !before.still.includes(id));
  if (stopped.length > 0) return [{ text: `${stopped.length} flows stand still: ${stopped.slice(0, 5).join(", ")}${stopped.length > 5 ? " and more" : ""}`, bad: true }];
  return before.still.length > 0 && after.still.length === 0 ? [{ text: `all ${after.open} flows move again`, bad: false }] : [];
}
