import { posix } from "node:path";
import { logicalLines, type LogicalLine } from "./blocks.ts";
import { globExpression } from "./glob.ts";
import { resolvePath, type NodeFile, type NodeFiles, type Said } from "./nodeFiles.ts";

/** Includes deeper than this include themselves. */
const maximumDepth = 16;

export interface ExpandedText {
  readonly lines: readonly LogicalLine[];
  /** What an include names, without a wildcard, and the trees do not hold. */
  readonly missingIncludes: readonly Said<string>[];
}

/**
 * keepalived.conf with what it includes in place, its `$NAME=` definitions put in, and its lines for other nodes (`@id …`, where the id is the host's
 * name, which in a lab is the machine's) left out. keepalived.conf(5), sections Include, Parameter substitution and Conditional configuration.
 */
export function expandKeepalived(node: NodeFiles, file: NodeFile): ExpandedText {
  const missingIncludes: Said<string>[] = [];
  const definitions = new Map<string, string>([["_HASH", "#"], ["_BANG", "!"]]);
  const expand = (from: NodeFile, depth: number): LogicalLine[] =>
    logicalLines(from, true).flatMap((logical) => {
      const line = forNode(logical.text, node.machine);
      if (line === undefined) return [];
      const definition = /^\s*\$([A-Za-z_]\w*)\s*=\s?(.*)$/u.exec(line);
      if (definition?.[1] !== undefined) {
        definitions.set(definition[1], substitute(definition[2] ?? "", definitions));
        return [];
      }
      const text = substitute(line, definitions);
      const included = /^\s*include\w*\s+"?([^\s"!#]+)"?/u.exec(text)?.[1];
      if (included === undefined) return [{ ...logical, text }];
      const found = depth < maximumDepth ? includedFiles(node, from, included) : [];
      if (found.length === 0 && !/[*?[]/u.test(included)) missingIncludes.push({ value: included, file: logical.file, line: logical.line });
      return found.flatMap((next) => expand(next, depth + 1));
    });
  return { lines: expand(file, 0), missingIncludes };
}

function includedFiles(node: NodeFiles, from: NodeFile, pattern: string): NodeFile[] {
  const expression = globExpression(posix.resolve(posix.dirname(from.path), pattern));
  const links = node.links.filter(({ path }) => expression.test(path)).map(({ path }) => resolvePath(node, path));
  return node.files.filter((candidate) => !candidate.binary && (expression.test(candidate.path) || links.includes(candidate.path)));
}

/** Without its condition; undefined where the condition speaks of another node. */
function forNode(text: string, machine: string): string | undefined {
  const condition = /^(\s*)@(\^?)(\w[\w.-]*)(\s.*|)$/u.exec(text);
  if (condition === null) return text;
  const [, indent = "", negated, id, rest = ""] = condition;
  return (id === machine) === (negated === "") ? indent + rest : undefined;
}

/** A name that nothing defines stays as it is written, as keepalived leaves it. */
function substitute(text: string, definitions: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\{(\w+)\}|(\w+))/gu, (whole, braced: string | undefined, bare: string | undefined) => definitions.get(braced ?? bare ?? "") ?? whole);
}
