import { html as htmPreact } from "htm/preact";
import { h, type ComponentChildren, type VNode } from "preact";
import { render } from "preact-render-to-string";

/** A piece of a page. Text in it is escaped when it is written: machines' words cannot become markup. */
export type Markup = ComponentChildren;

/**
 * Makes a piece of a page from a template: `html\`<p>${text}</p>\``. Whatever is put in is text or another piece, never markup in a string.
 * HTML's entities are not understood: write the character itself.
 */
export const html: (strings: TemplateStringsArray, ...values: unknown[]) => VNode = htmPreact;

/** An element whose content is markup in a string: for our style sheet and for drawn charts only, never for what a machine said. */
export function trusted(tag: string, attributes: Readonly<Record<string, string>>, markup: string): VNode {
  return h(tag, { ...attributes, dangerouslySetInnerHTML: { __html: markup } });
}

/** A whole document as text. */
export function written(document: VNode): string {
  return `<!doctype html>\n${render(document)}\n`;
}

/** C0 and C1 controls except tab and newline, and what changes the direction of the text after it: a line of log can hold them to deceive its reader. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const invisible = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Text of a machine's with what cannot be seen made visible. */
export function visible(text: string): string {
  return text.replace(invisible, (character) => `<${(character.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}>`);
}
