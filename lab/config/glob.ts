/** A shell's file pattern as an expression: `*` and `?` stop at a slash, as glob(7) has it. A set that is none, as `[z-a]`, matches nothing but itself. */
export function globExpression(pattern: string): RegExp {
  const literal = (text: string): string => text.replace(/[\\^$.|+*?(){}[\]/]/gu, String.raw`\$&`);
  const source = pattern.replace(/\[!?[^\]]+\]|[\s\S]/gu, (part) => {
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.length === 1) return literal(part);
    const set = part.startsWith("[!") ? `[^${part.slice(2)}` : part;
    try {
      new RegExp(set, "u");
      return set;
    } catch {
      return literal(part);
    }
  });
  return new RegExp(`^${source}$`, "u");
}
