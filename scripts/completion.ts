import { Argument, Command } from "commander";
import { exitCode } from "../lab/failure/failure.ts";

/** Shells whose completion is written. */
const shells = ["bash", "zsh"] as const;
type Shell = (typeof shells)[number];

/** `fwlab completion`: what a shell completes. @param all gives every verb's command. */
export function completionCommand(all: () => Promise<readonly Command[]>): Command {
  return new Command("completion")
    .description("print what makes a shell complete fwlab's verbs, options and choices")
    .addArgument(new Argument("<shell>").choices(shells))
    .allowExcessArguments(false)
    .addHelpText("after", "\nExample: source <(npx fwlab completion bash)")
    .action(async (shell: Shell) => {
      process.stdout.write(completionScript(await all(), shell));
      process.exitCode = exitCode.pass;
    });
}

/** A word for the shell, that none of its rules reads. */
function word(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The script that a shell reads. zsh understands bash's by its bashcompinit. Source: bash(1), "Programmable Completion"; zshcompsys(1). */
export function completionScript(commands: readonly Command[], shell: Shell): string {
  const verbs = commands.map((command) => command.name());
  const choices = commands.flatMap((command) =>
    command.options.flatMap(({ long, argChoices }) => (long === undefined || argChoices === undefined ? [] : [`    ${word(`${command.name()} ${long}`)}) words=${word(argChoices.join(" "))} ;;`])),
  );
  const options = commands.map((command) => {
    const own = command.options.flatMap(({ long }) => long ?? []);
    const first = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
    return `    ${word(command.name())}) words=${word([...own, "--help", ...first].join(" "))} ;;`;
  });
  return [
    ...(shell === "zsh" ? ["autoload -U +X bashcompinit && bashcompinit"] : []),
    "_fwlab() {",
    '  local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" verb="${COMP_WORDS[1]}" words=""',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words=${word(verbs.join(" "))}`,
    "  else",
    '    case "$verb" in',
    ...options,
    "    esac",
    '    case "$verb $before" in',
    ...choices,
    "    esac",
    "  fi",
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    "}",
    "complete -o default -F _fwlab fwlab",
    "",
  ].join("\n");
}
