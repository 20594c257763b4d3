/** Colours by name, each for light and dark. Series follow Okabe and Ito (2008), which the colour-blind tell apart; darker or lighter where text needs contrast. */
const colours = {
  paper: ["#ffffff", "#14171c"],
  panel: ["#f5f7f9", "#1d2229"],
  ink: ["#1a1e23", "#e7eaee"],
  soft: ["#525c66", "#a9b3bd"],
  rule: ["#cfd6dd", "#3d4650"],
  link: ["#0a569f", "#85bdff"],
  pass: ["#00614a", "#55d6ab"],
  fail: ["#a33100", "#ff9a6e"],
  invalid: ["#6d4c00", "#f2c65c"],
  "on-verdict": ["#ffffff", "#14171c"],
  series1: ["#0072b2", "#56b4e9"],
  series2: ["#c04a00", "#ff9a4d"],
  series3: ["#00805e", "#3fcf9f"],
  series4: ["#a3497c", "#dd9bbf"],
  series5: ["#8a6d00", "#f0e442"],
  shade: ["#e3ecf5", "#2a3644"],
} as const;

export type ColourName = keyof typeof colours;

/** A colour for CSS and SVG: the reader's mode decides which it is. */
export function colour(name: ColourName): string {
  return `var(--${name})`;
}

/** Both values of a colour, light and dark: for tests of contrast. */
export const colourValues: Readonly<Record<ColourName, readonly [light: string, dark: string]>> = colours;

const properties = (mode: 0 | 1) =>
  Object.entries(colours)
    .map(([name, values]) => `--${name}:${values[mode]}`)
    .join(";");

/** From this width of the window on, charts and drawings are shown in their wide form. */
const wideFrom = "46rem";

/** The style sheet of all pages. Printed pages are light, whatever the reader's mode. */
export const styleSheet = `
:root{color-scheme:light;${properties(0)}}
@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;${properties(1)}}}
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;overflow-wrap:break-word}
header,main,footer,.sections{max-width:62rem;margin-inline:auto;padding-inline:1rem}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.3rem;line-height:1.3;margin:2.5rem 0 .75rem;padding-top:.75rem;border-top:1px solid var(--rule)}
h3{font-size:1.05rem;margin:1.5rem 0 .5rem}
p,ul,ol,dl,pre,figure,.scroll{margin:.75rem 0}
a{color:var(--link);text-decoration:underline;text-underline-offset:.15em}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-100vw;top:0;background:var(--paper);padding:.5rem 1rem;z-index:1}
.skip:focus{left:0}
code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.875em}
.muted{color:var(--soft)}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.verdict{display:inline-flex;align-items:baseline;gap:.4em;max-width:100%;overflow-wrap:anywhere;font-weight:700;color:var(--verdict)}td span.verdict{overflow-wrap:normal}
.verdict.pass{--verdict:var(--pass)}.verdict.fail{--verdict:var(--fail)}.verdict.invalid{--verdict:var(--invalid)}
.verdict>span{flex:none}.verdict.large{font-size:2rem;background:var(--verdict);color:var(--on-verdict);padding:.15em .6em;border-radius:.25em}
.reason{font-size:1.15rem;max-width:50rem}
.sections ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:.5rem 0}
.sections a{display:inline-block;padding:.25rem 0}
dl.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem 1rem}
dl.facts dt{color:var(--soft)}dl.facts dd{margin:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;padding:0;list-style:none}
.tiles li{background:var(--panel);border:1px solid var(--rule);border-radius:.4rem;padding:.6rem .75rem}
.tiles strong{display:block;font-size:1.35rem;line-height:1.3;font-variant-numeric:tabular-nums}
.tiles span{color:var(--soft);font-size:.875rem}
.note{background:var(--panel);border-left:.3rem solid var(--rule);padding:.6rem .9rem}
.note.fail{border-color:var(--fail)}.note.invalid{border-color:var(--invalid)}.note.pass{border-color:var(--pass)}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:.9rem;width:100%}
caption{text-align:left;color:var(--soft);padding:.25rem 0 .5rem}
caption span{display:inline-block;max-width:calc(100vw - 2rem)}
th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--rule)}
th:last-child,td:last-child{padding-right:0}
thead th{white-space:nowrap;border-bottom-width:2px}
tbody th{font-weight:600}
th.number,td.number{text-align:right}
ul.files{list-style:none;padding:0;margin:0}
pre{background:var(--panel);border:1px solid var(--rule);border-radius:.4rem;padding:.6rem .75rem;line-height:1.45;white-space:pre-wrap;overflow-wrap:anywhere}
pre mark{background:var(--shade);color:inherit;font-weight:700}
figure{margin-inline:0}
figcaption{color:var(--soft);font-size:.9rem;margin:.25rem 0}
svg.chart{display:block;width:100%;height:auto;margin-inline:auto;overflow:visible}
svg.chart text{font-family:inherit}
svg.chart.wide{display:none}
@media (min-width:${wideFrom}){svg.chart.wide{display:block}svg.chart.narrow{display:none}}
.multiples{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,18rem),1fr));gap:.75rem 1.25rem}
.multiples figure{margin:0}
.multiples svg.chart{margin-inline:0}
.key{display:inline-block;width:1.6em;height:.2em;vertical-align:middle;margin-right:.35em;background:currentColor}
details{margin:.75rem 0}
summary{cursor:pointer;padding:.25rem 0;font-weight:600}
footer{margin-top:3rem;padding-block:1rem;color:var(--soft);font-size:.875rem;border-top:1px solid var(--rule)}
@media (max-width:36rem){
h1{font-size:1.35rem}.verdict>span{flex:none}.verdict.large{font-size:1.6rem}
dl.facts{display:block}dl.facts dd{margin:0 0 .5rem}
}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
@media print{
@page{size:A4;margin:15mm}
body{font-size:10pt}
header,main,footer{max-width:none;padding-inline:0}
.sections,.skip{display:none}
h2{break-after:avoid}h3{break-after:avoid}
figure,.tiles li,tr,.note,.card{break-inside:avoid}
thead{display:table-header-group}
.scroll{overflow:visible}
table{font-size:8pt}caption span{max-width:none}
svg.chart.wide{display:block}svg.chart.narrow{display:none}
.multiples{grid-template-columns:repeat(3,1fr)}
details::details-content{content-visibility:visible;block-size:auto}
.verdict.large,.tiles li,.note,pre,.key{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`.replaceAll("\n", "");
