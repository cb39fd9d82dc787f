/** The one look of all exported pages: screen, dark screen, phone, paper. */
export const pageStyle = `
:root {
  --paper: #fff; --ink: #1f2933; --soft: #52606d; --rule: #d9dee3; --wash: #f5f7f9; --link: #00568a;
  --accent: #0072b2; --right: #00704f; --wrong: #a94400; --keyword: #8a2b6b; --text: #1a6b3c; --number: #0b5c8e;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
*, ::before, ::after { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; color: var(--ink); background: var(--paper); font: 1.0625rem/1.6 var(--sans); }
.skip { position: absolute; left: -100vw; padding: .5rem 1rem; background: var(--paper); z-index: 2; }
.skip:focus { left: .5rem; top: .5rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.layout { display: grid; grid-template-columns: minmax(0, 1fr); max-width: 44rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
main { min-width: 0; overflow-wrap: break-word; }
h1, h2, h3, h4 { line-height: 1.25; margin: 2.2em 0 .6em; text-wrap: balance; }
h1 { font-size: 1.9rem; margin-top: 0; }
h2 { font-size: 1.4rem; padding-top: .6em; border-top: 1px solid var(--rule); }
h3 { font-size: 1.12rem; }
p, ul, ol, blockquote, pre, .scroll, figure { margin: 0 0 1rem; }
li { margin-bottom: .25rem; }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
blockquote { padding: .1rem 0 .1rem 1rem; border-left: 3px solid var(--rule); color: var(--soft); }
hr { border: 0; border-top: 1px solid var(--rule); margin: 2rem 0; }
img { max-width: 100%; height: auto; }
code, pre { font-family: var(--mono); font-size: .84em; }
:not(pre) > code { background: var(--wash); border-radius: 3px; padding: .1em .3em; }
pre { overflow-x: auto; padding: .75rem 1rem; line-height: 1.5; background: var(--wash); border-radius: 4px; }
pre code { font-size: inherit; }
pre.stdout, pre.result { padding: .1rem 0 .1rem 1rem; background: none; border-left: 3px solid var(--rule); border-radius: 0; }
pre.sentence { white-space: pre-wrap; }
pre.stderr { border-left: 3px solid var(--wrong); border-radius: 0; }
.math { overflow-x: auto; overflow-y: hidden; margin: 0 0 1rem; }
math { font-size: 1.08em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92em; line-height: 1.4; font-variant-numeric: tabular-nums lining-nums; }
caption { text-align: left; color: var(--soft); padding: 0 0 .4rem; }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }
th:last-child, td:last-child { padding-right: 0; }
thead th { border-bottom: 2px solid var(--rule); vertical-align: bottom; }
figure { max-width: 100%; }
.picture, .plot { overflow-x: auto; background: #fff; border-radius: 4px; }
.picture svg, .picture img { display: block; width: 100%; min-width: 20rem; max-width: 700px; height: auto; margin: 0 auto; }
.plot { min-height: 200px; }
.failure { padding: .6rem 1rem; border-left: 4px solid var(--wrong); background: var(--wash); }
.failure p { margin: 0; }
details { margin: 0 0 1rem; }
summary { cursor: pointer; width: fit-content; color: var(--soft); }
details.code > summary { font-size: .8rem; letter-spacing: .02em; }
details.code > pre { margin: .4rem 0; white-space: pre-wrap; overflow-wrap: break-word; }
details.code { margin-bottom: .5rem; }
.cell { margin-bottom: 1.4rem; }
.cell > :last-child { margin-bottom: 0; }
.task { padding: .8rem 1rem; border: 1px solid var(--rule); border-left: 4px solid var(--accent); border-radius: 4px; }
.task .badge { margin: 0 0 .5rem; font-size: .78rem; font-weight: 600; color: var(--accent); letter-spacing: .04em; }
.task :is(h2, h3) { margin-top: 0; padding-top: 0; border: 0; }
details.solution > summary { font-weight: 600; color: var(--link); }
details.solution[open] { padding-left: 1rem; border-left: 3px solid var(--rule); }
details.solution[open] > summary { margin-bottom: .6rem; }
.outcome { padding: .4rem .8rem; border-left: 4px solid var(--soft); background: var(--wash); }
.outcome.right { border-color: var(--right); } .outcome.not-yet { border-color: var(--wrong); }
.contents { font-size: .9rem; line-height: 1.4; }
.contents ol { list-style: none; margin: 0; padding: 0; }
.contents li { margin: 0; }
.contents a { display: block; padding: .25rem 0; color: var(--soft); text-decoration: none; }
.contents a:hover { color: var(--link); text-decoration: underline; }
.contents .deeper a { padding-left: 1rem; }
.contents summary, .contents p { font-weight: 600; padding: .3rem 0; margin: 0; color: var(--ink); }
.beside { display: none; }
.facts th { width: 9rem; font-weight: 600; white-space: nowrap; }
.facts td { overflow-wrap: anywhere; }
.facts code { background: none; padding: 0; }
.studies { list-style: none; margin: 0; padding: 0; }
.studies > li { display: grid; grid-template-columns: 2.5rem minmax(0, 1fr); padding: 1.2rem 0 .6rem; border-top: 1px solid var(--rule); }
.studies h2 { font-size: 1.15rem; margin: 0 0 .4rem; padding: 0; border: 0; }
.studies p { margin: 0 0 .4rem; }
.studies .number { color: var(--soft); font-variant-numeric: tabular-nums; line-height: 1.45; }
.aside { color: var(--soft); font-size: .9rem; }
.hljs-comment { color: var(--soft); font-style: italic; }
.hljs-keyword, .hljs-built_in, .hljs-type { color: var(--keyword); }
.hljs-string, .hljs-regexp { color: var(--text); } .hljs-number, .hljs-literal { color: var(--number); }
@media (min-width: 68rem) {
  .layout { grid-template-columns: 14rem minmax(0, 43rem); gap: 0 3.5rem; max-width: 64rem; padding-top: 3rem; }
  .layout.alone { grid-template-columns: minmax(0, 1fr); max-width: 50rem; }
  .contents details { display: none; } .beside { display: block; }
  .contents { position: sticky; top: 2rem; align-self: start; max-height: calc(100vh - 4rem); overflow-y: auto; }
}
@media (max-width: 40rem) {
  body { font-size: 1rem; } h1 { font-size: 1.55rem; } h2 { font-size: 1.25rem; } .layout { padding: 1.25rem 1rem 3rem; }
  .facts th { width: auto; white-space: normal; }
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14191f; --ink: #dfe5eb; --soft: #a3afbb; --rule: #39434e; --wash: #1d242c; --link: #7cc4f2;
    --accent: #56b4e9; --right: #3fc79a; --wrong: #f08c4b; --keyword: #e39fc7; --text: #8fd3a8; --number: #8cc8f0;
  }
  .picture, .plot { padding: 4px; }
  .output [style*="color"] { background-color: transparent !important; color: inherit !important; }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@page { size: A4; margin: 18mm 16mm; }
@media print {
  body { font-size: 10.5pt; }
  .layout, .layout.alone { display: block; max-width: none; padding: 0; }
  .contents, .skip, details.code, details.solution, .plot { display: none !important; }
  .interactive .picture { display: block !important; }
  h1, h2, h3 { break-after: avoid; } h2 { margin-top: 1.4em; }
  figure, tr, pre, .task, .outcome { break-inside: avoid; } .facts tr { break-inside: auto; }
  thead { display: table-header-group; }
  .picture, .scroll, pre, .math { overflow: visible; } pre { white-space: pre-wrap; }
  .picture svg, .picture img { min-width: 0; max-width: 100%; }
  a { color: inherit; text-decoration: none; }
}
`.trim();
