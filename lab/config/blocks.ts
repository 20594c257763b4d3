import type { NodeFile, Place } from "./nodeFiles.ts";

/** A word, as it stands without its quotes. */
export interface Word extends Place {
  readonly value: string;
  readonly line: number;
}

/** Words of one line, and the block that they open, if they do. */
export interface Statement extends Place {
  readonly line: number;
  readonly words: readonly Word[];
  /** Undefined where no brace follows. */
  readonly block: readonly Statement[] | undefined;
}

/** What the files' own languages differ in. */
export interface BlockSyntax {
  /** Characters that begin a comment wherever they stand unquoted. */
  readonly comments: string;
  /** A backslash before a line's end joins it with the next one (keepalived). */
  readonly continued?: boolean;
}

/** A brace without its partner, or an open quotation. */
export interface SyntaxFault extends Place {
  readonly line: number;
  readonly wrong: string;
}

export interface Blocks {
  readonly statements: readonly Statement[];
  readonly faults: readonly SyntaxFault[];
}

interface Open {
  readonly statements: Statement[];
  readonly opener: { readonly words: readonly Word[]; readonly line: number } | undefined;
}

/** One line, or several that are one. */
export interface LogicalLine {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** The lines of a file, those that a backslash joins as one. */
export function logicalLines({ file, lines }: NodeFile, continued: boolean): LogicalLine[] {
  const logical: LogicalLine[] = [];
  let open: { line: number; text: string } | undefined;
  for (const [index, text] of lines.entries()) {
    const joined = (open?.text ?? "") + text;
    const line = open?.line ?? index + 1;
    open = continued && joined.endsWith("\\") ? { line, text: joined.slice(0, -1) } : undefined;
    if (open === undefined) logical.push({ file, line, text: joined });
  }
  if (open !== undefined) logical.push({ file, ...open });
  return logical;
}

/**
 * Reads the block language that keepalived.conf and conntrackd.conf share: words, quoted words, `{`, `}` and comments. A block may open on the line after
 * its name, and begin and end in one line. Never throws: what has no partner is told as a fault, and the rest is read as if it had one.
 */
export function readBlocks(lines: readonly LogicalLine[], { comments }: BlockSyntax): Blocks {
  const faults: SyntaxFault[] = [];
  const stack: Open[] = [{ statements: [], opener: undefined }];
  const top = (): Open => stack.at(-1) ?? { statements: [], opener: undefined };
  const end = (words: Word[]): void => {
    const first = words[0];
    if (first !== undefined) top().statements.push({ file: first.file, line: first.line, words: words.splice(0), block: undefined });
  };
  const close = (): void => {
    const closed = stack.pop();
    if (closed?.opener === undefined) return;
    const { words, line } = closed.opener;
    top().statements.push({ file: words[0]?.file ?? "", line, words, block: closed.statements });
  };
  for (const { file, line, text } of lines) {
    const words: Word[] = [];
    const { tokens, unclosed } = tokensOf(text, comments);
    if (unclosed) faults.push({ file, line, wrong: "a quotation that does not end on its line" });
    for (const { value, quoted } of tokens) {
      if (!quoted && value === "{") {
        // On a line of its own it opens the block of the line before.
        const before = words.length > 0 ? undefined : top().statements.at(-1)?.block === undefined ? top().statements.pop() : undefined;
        const opening = before?.words ?? words.splice(0);
        stack.push({ statements: [], opener: { words: opening.length > 0 ? opening : [{ value: "", file, line }], line: before?.line ?? line } });
      } else if (!quoted && value === "}") {
        end(words);
        if (stack.length === 1) faults.push({ file, line, wrong: "a closing brace without an opening one" });
        else close();
      } else {
        words.push({ value, file, line });
      }
    }
    end(words);
  }
  while (stack.length > 1) {
    const opener = top().opener;
    faults.push({ file: opener?.words[0]?.file ?? "", line: opener?.line ?? 1, wrong: `the block ${opener?.words[0]?.value ?? ""} is never closed` });
    close();
  }
  return { statements: top().statements, faults };
}

interface Token {
  readonly value: string;
  readonly quoted: boolean;
}

function tokensOf(text: string, comments: string): { tokens: Token[]; unclosed: boolean } {
  const tokens: Token[] = [];
  let word = "";
  let inWord = false;
  let quoted = false;
  const end = (): void => {
    if (inWord) tokens.push({ value: word, quoted });
    word = "";
    inWord = false;
    quoted = false;
  };
  let quote = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quote) {
      if (character === '"') quote = false;
      else if (character === "\\" && at + 1 < text.length) word += text.charAt(++at);
      else word += character;
    } else if (character === '"') {
      quote = true;
      inWord = true;
      quoted = true;
    } else if (character === "\\" && comments.includes(text.charAt(at + 1)) && at + 1 < text.length) {
      inWord = true;
      word += text.charAt(++at);
    } else if (comments.includes(character)) {
      break;
    } else if (/\s/u.test(character)) {
      end();
    } else if (character === "{" || character === "}") {
      end();
      tokens.push({ value: character, quoted: false });
    } else {
      inWord = true;
      word += character;
    }
  }
  end();
  return { tokens, unclosed: quote };
}

/** The blocks among these statements whose first word is `name`. */
export function blocksNamed(statements: readonly Statement[], name: string): Statement[] {
  return statements.filter(({ words, block }) => block !== undefined && words[0]?.value === name);
}
