import { join } from "node:path";
import { parseCLI, startVitest, type Reporter, type TestModule } from "vitest/node";
import { exitCode, Failure, messageOf } from "../lab/failure/failure.ts";
import { onGithub } from "../lab/report/ci/tellCi.ts";
import { countTests, type ModuleOutcome, type TestCount } from "./testCount.ts";

/** What vitest's own command line asks for. */
export type VitestChoice = ReturnType<typeof parseCLI>;

/** Reads vitest's arguments. @throws Failure (usage) for those that it cannot read; it ignores options that it does not know. */
export function parseVitestArguments(args: readonly string[]): VitestChoice {
  try {
    return parseCLI(["vitest", "run", ...args]);
  } catch (cause) {
    throw new Failure({ tried: `hand ${args.join(" ")} to vitest`, seen: messageOf(cause), remedy: "See npx vitest --help.", exit: exitCode.usage, cause });
  }
}

/**
 * Runs vitest in this process, once; writes runs/junit.xml. When the signal aborts, what runs is cancelled and nothing more is begun.
 * @throws what vitest throws when it cannot start, for instance for a mistake in vitest.config.ts.
 */
export async function runVitest(root: string, { filter, options }: VitestChoice, signal: AbortSignal): Promise<TestCount> {
  if (signal.aborted) {
    return { passed: 0, failed: 0 };
  }
  const canceller: Reporter = {
    onInit: (vitest) => {
      const cancel = () => {
        vitest.cancelCurrentRun("keyboard-input").catch((thrown: unknown) => console.error(`vitest cannot be cancelled: ${messageOf(thrown)}`));
      };
      signal.addEventListener("abort", cancel, { once: true });
    },
  };
  const junit = join(root, "runs", "junit.xml");
  const vitest = await startVitest("test", filter, {
    ...options,
    root,
    run: true,
    watch: false,
    // Installed for another repository, fwlab is TypeScript all the same, which Node does not read there.
    server: { deps: { inline: ["fwlab"] } },
    reporters: ["default", ["junit", { outputFile: junit }], ...(onGithub(process.env) ? ["github-actions"] : []), canceller],
  });
  return countTests(vitest.state.getTestModules().map(outcomeOf), vitest.state.getUnhandledErrors().length);
}

function outcomeOf(module: TestModule): ModuleOutcome {
  const suites = [...module.children.allSuites()];
  return {
    states: [...module.children.allTests()].map((test) => test.result().state),
    errors: [module, ...suites].reduce((sum, part) => sum + part.errors().length, 0),
  };
}
