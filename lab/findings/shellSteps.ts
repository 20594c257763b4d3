/** One order that a script gives to conntrackd: the option's letter, and where. */
export interface Step {
  /** `c` commit, `f` flush, `R` resync with the kernel, `B` bulk send, `n` ask the other node, `t` shorten timers. */
  readonly letter: string;
  /** Counted from 1. */
  readonly line: number;
}

interface Line {
  readonly text: string;
  readonly line: number;
}

const letters = "cfFRBnt";

/** What patterns of a `case` say of a state. */
const stateWords = {
  primary: /\b(?:master|primary|active)\b/iu,
  backup: /\b(?:backup|secondary|standby|slave)\b/iu,
} as const;

export type PairState = keyof typeof stateWords;

/**
 * The orders to conntrackd that a shell script gives for a state, in their order: functions are put in where they are called, and of a `case` that tells
 * states apart, the state's branch is taken. A guess: no shell is run. Undefined where the script speaks of conntrackd in a way that is not understood.
 */
export function stepsOf(script: readonly string[], state: PairState): Step[] | undefined {
  const lines = script.map((text, index) => ({ text: withoutComment(text), line: index + 1 }));
  const { functions, main } = functionsOf(lines);
  const wrappers = [...functions].filter(([, body]) => body.some(({ text }) => /conntrackd/iu.test(text) && /\$(?:\{?[1@*])/u.test(text))).map(([name]) => name);
  const taken = branchesFor(inlined(branchesFor(main, state), functions, wrappers, 0), state);
  const steps = taken.flatMap(({ text, line }) => ordersIn(text, wrappers, line));
  const loops = loopOrders(taken, wrappers);
  if (steps.length + loops.length > 0) return [...steps, ...loops].toSorted((a, b) => taken.findIndex(({ line }) => line === a.line) - taken.findIndex(({ line }) => line === b.line));
  const speaks = taken.some(({ text }) => /conntrackd/iu.test(text) && !/conntrackd\S*\s+(?:-C\s+\S+\s+)?-[sid]\b|^\s*\w+=/iu.test(text));
  return speaks ? undefined : [];
}

function withoutComment(text: string): string {
  return text.replace(/(^|\s)#.*$/u, "$1");
}

function functionsOf(lines: readonly Line[]): { functions: Map<string, Line[]>; main: Line[] } {
  const functions = new Map<string, Line[]>();
  const main: Line[] = [];
  let body: Line[] | undefined;
  for (const each of lines) {
    const [, name, rest = ""] = /^\s*(?:function\s+)?([\w-]+)\s*\(\)\s*\{?(.*)$/u.exec(each.text) ?? [];
    if (body === undefined && name !== undefined) {
      body = [{ ...each, text: rest.replace(/\}\s*$/u, "") }];
      functions.set(name, body);
      if (/\}\s*$/u.test(rest)) body = undefined;
    } else if (body !== undefined) {
      if (/^\}/u.test(each.text)) body = undefined;
      else body.push(each);
    } else {
      main.push(each);
    }
  }
  return { functions, main };
}

function inlined(lines: readonly Line[], functions: ReadonlyMap<string, readonly Line[]>, wrappers: readonly string[], depth: number): Line[] {
  return lines.flatMap((each) => {
    const words = each.text.split(/[\s;&|(){}]+/u);
    const name = [...functions.keys()].find((candidate) => words.includes(candidate) && !wrappers.includes(candidate));
    const body = name === undefined || depth > 8 ? undefined : functions.get(name);
    return body === undefined ? [each] : inlined(body, functions, wrappers, depth + 1);
  });
}

/** Of each `case` with a branch for some state, only this state's branch, else `*`'s; all else as it is. */
function branchesFor(lines: readonly Line[], state: PairState): Line[] {
  const kept: Line[] = [];
  let depth = 0;
  let taken = true;
  let toldApart = false;
  for (const each of lines) {
    let text = each.text;
    const opens = /\bcase\b.*\bin\b/u.exec(text);
    if (opens !== null) {
      depth += 1;
      text = text.slice(opens.index + opens[0].length);
    }
    if (depth > 0) {
      const pattern = /^\s*\(?\s*([^()$\s][^()$]*)\)(.*)$/u.exec(text);
      if (pattern?.[1] !== undefined) {
        const isOther = Object.values(stateWords).some((words) => words.test(pattern[1] ?? "")) || /\b(?:fault|stop)\b/iu.test(pattern[1]);
        if (isOther) {
          toldApart = true;
          taken = stateWords[state].test(pattern[1]);
        } else {
          // `*` and foreign patterns belong to no state, once states are told apart.
          taken = !toldApart;
        }
        text = pattern[2] ?? "";
      }
    }
    if (taken) kept.push({ line: each.line, text });
    if (/;;\s*$/u.test(text) && depth > 0) taken = true;
    if (/(?:^|\s|;)esac\b/u.test(each.text)) {
      depth = Math.max(0, depth - 1);
      taken = true;
      toldApart = false;
    }
  }
  return kept;
}

function ordersIn(text: string, wrappers: readonly string[], line: number): Step[] {
  return text.split(/&&|\|\||[;|&]/u).flatMap((command) => {
    const program = new RegExp(String.raw`(?:[\w./$\{"-]*conntrackd[\w}"]*${wrappers.map((name) => `|\\b${name}\\b`).join("")})\s`, "iu").exec(`${command} `);
    if (program === null || /^\s*\w+=/u.test(command) || /\b(?:logger|echo|printf|log)\s/u.test(command.slice(0, program.index + 1))) return [];
    const rest = command.slice(program.index + program[0].length - 1).replace(/"[^"]*\s[^"]*"|'[^']*\s[^']*'/gu, " ");
    const orders = [...rest.replace(/\s-C\s+\S+/u, " ").matchAll(/\s["']?-([A-Za-z])["']?(?=\s|$)(\s+internal\b)?/gu)];
    // Flushing the internal cache alone loses nothing that is to be committed.
    return orders.filter(([, letter = "", internal]) => letters.includes(letter) && !(letter === "f" && internal !== undefined)).map(([, letter = ""]) => ({ letter, line }));
  });
}

/** `for step in -c -f -R -B; do conntrackd $step; done` */
function loopOrders(lines: readonly Line[], wrappers: readonly string[]): Step[] {
  return lines.flatMap(({ text, line }, index) => {
    const [, variable, list] = /\bfor\s+(\w+)\s+in\s+([^;]*)/u.exec(text) ?? [];
    if (variable === undefined || list === undefined) return [];
    const used = lines.slice(index, index + 6).some((other) => (/conntrackd/iu.test(other.text) || wrappers.some((name) => other.text.includes(name))) && new RegExp(String.raw`\$\{?${variable}\b`, "u").test(other.text));
    return used ? [...list.matchAll(/-?\b([A-Za-z])\b/gu)].map(([, letter = ""]) => ({ letter, line })).filter(({ letter }) => letters.includes(letter)) : [];
  });
}
