import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

/**
 * The floors of lab/, lowest first: a floor may import the floors named here and nothing else of ours.
 * Evidence is what the floors that touch machines hand to the floors that judge, so both may import it.
 */
const floors = {
  topology: [],
  evidence: ["topology"],
  host: ["topology"],
  image: ["topology", "host"],
  machine: ["topology", "host", "image"],
  config: ["topology", "machine"],
  findings: ["topology", "evidence", "config"],
  checkers: ["topology", "evidence", "machine", "config"],
  mutants: ["topology", "evidence"],
  snapshot: ["topology", "host", "image"],
  traffic: ["topology", "evidence", "machine"],
  load: ["topology", "evidence", "host", "traffic"],
  faults: ["topology", "evidence", "machine"],
  observe: ["topology", "evidence", "host", "machine"],
  capture: ["topology", "evidence", "host", "traffic"],
  judge: ["topology", "evidence"],
  report: ["topology", "evidence", "judge"],
  toolbox: ["host"],
  doctor: ["topology", "host", "image", "machine", "snapshot"],
  history: ["topology", "evidence", "judge", "report"],
};

/** Any floor may report progress and fail in words. */
const ground = ["progress", "failure"];

const floorRules = Object.entries(floors).map(([floor, allowed]) => ({
  files: [`lab/${floor}/**/*.ts`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          {
            regex: `^(\\.\\./)+(?!${[...ground, ...allowed].map((name) => `${name}/`).join("|")})[a-z]+/`,
            message: `lab/${floor} may import only: ${[...ground, ...allowed].join(", ")}`,
          },
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ["node_modules/", "runs/", "coverage/", "types/"] },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ["**/*.ts"] })),
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
    },
  },
  ...floorRules,
  {
    files: ["**/*.mjs", "**/*.js"],
    languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly", setTimeout: "readonly" } },
  },
);
