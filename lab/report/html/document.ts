import type { VNode } from "preact";
import { html, trusted, written, type Markup } from "./markup.ts";
import { styleSheet } from "./style.ts";

/** A part of a page with a heading of its own, which the page's list of parts leads to. */
export interface Section {
  readonly id: string;
  readonly heading: string;
  readonly body: Markup;
}

export interface Page {
  readonly title: string;
  /** What stands above everything else: the verdict, and what it is about. */
  readonly head: Markup;
  readonly sections: readonly Section[];
  readonly foot?: Markup;
}

/** Forbids what a page that rests on nothing does not need, so that hostile words could not even do harm if they became markup. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** The head of every page of fwlab's. @param contentPolicy what the page may ask for (Content Security Policy). */
export function pageHead(title: string, contentPolicy: string): VNode {
  return html`
    <head>
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content=${contentPolicy} />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="referrer" content="no-referrer" />
      <title>${title}</title>
      <link rel="icon" href="data:," />
      ${trusted("style", {}, styleSheet)}
    </head>
  `;
}

/** A page as one file that needs nothing else: no script, no style sheet, picture or font from elsewhere. */
export function documentOf({ title, head, sections, foot }: Page): string {
  return written(html`
    <html lang="en">
      ${pageHead(title, policy)}
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>${head}</header>
        <nav class="sections" aria-label="Parts of this page">
          <ul>${sections.map(({ id, heading }) => html`<li><a href=${`#${id}`}>${heading}</a></li>`)}</ul>
        </nav>
        <main id="content" tabindex="-1">
          ${sections.map(({ id, heading, body }) => html`<section aria-labelledby=${id}><h2 id=${id}>${heading}</h2>${body}</section>`)}
        </main>
        ${foot === undefined ? null : html`<footer>${foot}</footer>`}
      </body>
    </html>
  `);
}
