import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["lab/**/*.test.ts", "scripts/**/*.test.ts"],
          // Seconds where the host is idle. It bounds what hangs, and is not what any test means: on a busy host starting Node a few times takes ten.
          testTimeout: 30_000,
          hookTimeout: 30_000,
          // The slow files wait for sockets, processes and clocks as much as for a processor: one more at a time than there are cores. With many
          // more they would starve each other, and their bounds are of real time.
          maxWorkers: availableParallelism() + 1,
          // A file takes over its predecessor's process and modules. Tests put back what they change of the process: environment, timers, spies.
          isolate: false,
        },
      },
      {
        test: {
          name: "suites",
          include: ["suites/**/*.test.ts"],
          setupFiles: ["suites/matchers.ts"],
          // One lab of four VMs at a time: they take both cores of a small runner.
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 600_000,
          sequence: { concurrent: false },
        },
      },
    ],
  },
});
