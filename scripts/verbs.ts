import { Command } from "commander";

/** Each verb's command is loaded when it is asked for: none waits for the code of another. */
export const verbs: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import("./start.ts")).startCommand(),
  trials: async () => (await import("./trials.ts")).trialsCommand(),
  validate: async () => (await import("./validate.ts")).validateCommand(),
  mutants: async () => (await import("./mutants.ts")).mutantsCommand(),
  judge: async () => (await import("./judge.ts")).judgeCommand(),
  test: async () => (await import("./test.ts")).testCommand(),
  bench: async () => (await import("./bench.ts")).benchCommand(),
  report: async () => (await import("./report.ts")).reportCommand(),
  history: async () => (await import("./history.ts")).historyCommand(),
  compare: async () => (await import("./compare.ts")).compareCommand(),
  baseline: async () => (await import("./baseline.ts")).baselineCommand(),
  cache: async () => (await import("./cache.ts")).cacheCommand(),
  up: async () => (await import("./up.ts")).upCommand(),
  down: async () => (await import("./up.ts")).downCommand(),
  status: async () => (await import("./status.ts")).statusCommand(),
  watch: async () => (await import("./watch.ts")).watchCommand(),
  ssh: async () => (await import("./session.ts")).sshCommand(),
  console: async () => (await import("./console.ts")).consoleCommand(),
  viewer: async () => (await import("./viewer.ts")).viewerCommand(),
  logs: async () => (await import("./session.ts")).logsCommand(),
  conntrack: async () => (await import("./session.ts")).conntrackCommand(),
  capture: async () => (await import("./byHand.ts")).captureCommand(),
  fault: async () => (await import("./byHand.ts")).faultCommand(),
  heal: async () => (await import("./byHand.ts")).healCommand(),
  snapshot: async () => (await import("./byHand.ts")).snapshotCommand(),
  restore: async () => (await import("./byHand.ts")).restoreCommand(),
  graph: async () => (await import("./graph.ts")).graphCommand(),
  doctor: async () => (await import("./doctor.ts")).doctorCommand(),
  schema: async () => (await import("./schema.ts")).schemaCommand(),
  completion: async () => (await import("./completion.ts")).completionCommand(allCommands),
};

/** The commands of all verbs. */
export function allCommands(): Promise<Command[]> {
  return Promise.all(Object.values(verbs).map((load) => load()));
}
