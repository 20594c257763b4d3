import { z } from "zod";

/** What a finding does to the pair. `error`: it does not do its duty. `warning`: it may fail to. `hint`: worth knowing, and no fault. */
export const severities = ["error", "warning", "hint"] as const;

/** How sure a finding is: `certain` follows from the files alone; `likely` needs something usual of the network; `possible` needs something unusual. */
export const certainties = ["certain", "likely", "possible"] as const;

/** Something wrong in a config tree, found without any fault: by a guest's own checker, or by comparing what the files say. */
export const findingSchema = z.object({
  /** The rule that found it, in kebab case: `vrid-differs`, `nft-check`. */
  id: z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/u),
  severity: z.enum(severities),
  certainty: z.enum(certainties),
  /** The machine that gets the file. */
  machine: z.string(),
  /** Path in the tree, as its author knows it: `fw-1/etc/conntrackd/conntrackd.conf`; where a file is missing, the path it should have. */
  file: z.string(),
  /** Counted from 1; null for a whole file, or a missing one. */
  line: z.number().int().min(1).nullable(),
  /** What is wrong, one line that stands alone. */
  wrong: z.string().min(1),
  /** What it would cause, one line. */
  causes: z.string().min(1),
  /** What to do, one line. */
  remedy: z.string().min(1),
  /** Ids of the checks that a run would fail by it: with these it explains a verdict. */
  explains: z.array(z.string()),
  /** Other places that it is about, as the other node's line. */
  also: z.array(z.object({ file: z.string(), line: z.number().int().min(1).nullable() })).default([]),
});

export type Finding = z.infer<typeof findingSchema>;
export type Severity = Finding["severity"];
export type Certainty = Finding["certainty"];
