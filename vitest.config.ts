import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: { name: "unit", include: ["lab/**/*.test.ts", "scripts/**/*.test.ts"], testTimeout: 10_000 },
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
