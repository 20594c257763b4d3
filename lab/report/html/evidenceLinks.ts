import type { VNode } from "preact";
import { html, visible } from "./markup.ts";

/** More links than this are folded away. */
const most = 3;

/** A link to a file or folder of the bundle, relative to the report at its root; no link when the bundle has no such file. */
export function fileLink(path: string, files: ReadonlySet<string>): VNode {
  const folder = path.endsWith("/") ? path : `${path}/`;
  const parts = path.replace(/\/$/u, "").split("/");
  const inside = !parts.some((part) => part === "" || part === "." || part === "..");
  const there = inside && (files.has(path) || [...files].some((file) => file.startsWith(folder)));
  const name = html`<span class="mono">${visible(path)}</span>`;
  return there ? html`<a href=${`./${path.split("/").map(encodeURIComponent).join("/")}`}>${name}</a>` : html`<span>${name} <span class="muted">(not in the bundle)</span></span>`;
}

/** Links to files of the bundle, all but the first three folded away. */
export function fileLinks(paths: readonly string[], files: ReadonlySet<string>): VNode {
  const list = (some: readonly string[]) => html`<ul class="files">${some.map((path) => html`<li>${fileLink(path, files)}</li>`)}</ul>`;
  if (paths.length <= most) return list(paths);
  return html`<div>${list(paths.slice(0, most))}<details><summary>${paths.length - most} more</summary>${list(paths.slice(most))}</details></div>`;
}
