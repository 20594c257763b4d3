import pc from "picocolors";
import type { HostPart, PartState } from "./part.ts";

const marks: Readonly<Record<PartState, string>> = { works: "works", slower: "slower", missing: "MISSING" };

/** What was found, for people: a line a part, and below what does not work what that means and what mends it; then what follows of it all. */
export function examinedText(parts: readonly HostPart[], colours = false): string {
  const { green, yellow, red, dim, bold } = pc.createColors(colours);
  const paint: Readonly<Record<PartState, (text: string) => string>> = { works: green, slower: yellow, missing: red };
  const width = Math.max(...parts.map(({ name }) => name.length));
  const lines = parts.flatMap(({ name, state, seen, without, mend }) => [
    `${paint[state](marks[state].padEnd(7))}  ${bold(name.padEnd(width))}  ${seen}`,
    ...(state === "works" ? [] : [`${" ".repeat(11 + width)}${dim("without it:")} ${without}`]),
    ...(state === "works" || mend === undefined ? [] : [`${" ".repeat(11 + width)}${dim("mend it:")}    ${mend}`]),
  ]);
  return [...lines, "", conclusionOf(parts), ""].join("\n");
}

/** What follows, in one line. */
export function conclusionOf(parts: readonly HostPart[]): string {
  const named = (state: PartState) => parts.filter((part) => part.state === state).map(({ name }) => name);
  const [missing, slower] = [named("missing"), named("slower")];
  if (missing.length > 0) return `no lab runs on this host before these are mended: ${missing.join(", ")}`;
  if (slower.length > 0) return `labs run on this host, slower or with less for want of: ${slower.join(", ")}`;
  return "labs run on this host, and lack nothing";
}

/** Whether a lab runs on this host. */
export function isFit(parts: readonly HostPart[]): boolean {
  return parts.every(({ state }) => state !== "missing");
}
