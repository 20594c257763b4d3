/** How something that a lab needs of its host stands: it works; labs run without it, but slower or with less; no lab runs without it. */
export const partStates = ["works", "slower", "missing"] as const;
export type PartState = (typeof partStates)[number];

/** One thing that a lab needs of its host, as it was found by trial. */
export interface HostPart {
  readonly name: string;
  readonly state: PartState;
  /** What was seen, in one line. */
  readonly seen: string;
  /** What is slower or impossible without it. */
  readonly without: string;
  /** The one command that mends it, where there is one. */
  readonly mend?: string;
}

/** A part that works, or does not: then with what mends it. */
export function partOf(name: string, without: string, { state, seen, mend }: Pick<HostPart, "state" | "seen" | "mend">): HostPart {
  return { name, state, seen, without, ...(state !== "works" && mend !== undefined && { mend }) };
}
