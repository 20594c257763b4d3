import { expect, test } from "vitest";
import { documentOf } from "./document.ts";
import { html, visible } from "./markup.ts";
import { spreadChart } from "./spread.ts";
import { colourValues, type ColourName } from "./style.ts";

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>&'`;

test("what a machine says never becomes markup, in text, in attributes and in charts", async () => {
  const chart = await spreadChart({ id: "spread", title: hostile, axis: hostile, unit: hostile, values: [{ name: hostile, value: 1, marked: true }, { name: "other", value: 3 }] });
  const page = documentOf({ title: hostile, head: html`<p title=${hostile}>${hostile}</p>`, sections: [{ id: "one", heading: hostile, body: chart }] });
  expect(page).not.toMatch(/<script|<img/iu);
  expect(page.match(/&lt;script(?:>|&gt;)alert/gu)?.length).toBeGreaterThanOrEqual(6);
});

test("a page asks for nothing from elsewhere and forbids it", () => {
  const page = documentOf({ title: "t", head: "h", sections: [] });
  expect(page).toContain("default-src &#39;none&#39;".replaceAll("&#39;", "'"));
  expect(page.replaceAll("http://www.w3.org/", "")).not.toMatch(/https?:|url\(|@import|src=/u);
});

test("controls and changes of direction in a line of log are made visible", () => {
  expect(visible("a\u001b[31mb\u202ec\u0000\td\n")).toBe("a<1b>[31mb<202e>c<00>\td\n");
});

test("a chart's dots and words come from its values", async () => {
  const draw = async (values: number[]) => documentOf({ title: "t", head: "", sections: [{ id: "a", heading: "a", body: await spreadChart({ id: "s", title: "t", axis: "ms", unit: "ms", values: values.map((value) => ({ name: "n", value })) }) }] });
  const [one, other] = await Promise.all([draw([100, 200, 350]), draw([100, 200, 950])]);
  expect(one).toContain("3 values from 100 to 350 ms");
  expect(other).toContain("3 values from 100 to 950 ms");
  expect(one.match(/<path/gu)).toHaveLength(2 * (3 + 2));
});

/** Contrast ratio of two colours. Source: WCAG 2.2, relative luminance. */
function contrast(a: string, b: string): number {
  const luminance = (colour: string) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255).map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [high = 0, low = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

test.each(["light", "dark"] as const)("text has a contrast of 4.5, and what is drawn one of 3, in the %s mode", (mode) => {
  const value = (name: ColourName) => colourValues[name][mode === "light" ? 0 : 1];
  const tooFaint = (names: readonly ColourName[], on: readonly ColourName[], least: number) =>
    names.flatMap((name) => on.filter((ground) => contrast(value(name), value(ground)) < least).map((ground) => `${name} on ${ground}`));
  expect(tooFaint(["ink", "soft", "link", "pass", "fail", "invalid"], ["paper", "panel", "shade"], 4.5)).toEqual([]);
  expect(tooFaint(["on-verdict"], ["pass", "fail", "invalid"], 4.5)).toEqual([]);
  expect(tooFaint(["series1", "series2", "series3", "series4", "series5"], ["paper", "panel"], 3)).toEqual([]);
});
