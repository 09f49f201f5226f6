"""The look of the methodology in a browser and on paper: one style sheet, put into the page."""

SHEET = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ground: #eef1f4; --ink: #1a232d; --soft: #52606d; --rule: #d6dde4; --strong: #123b5d;
  --band: #f4f7f9; --note: #eef5fa; --edge: #8fb4d1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #161c23; --ground: #0d1116; --ink: #e6ebf0; --soft: #a3b0bd; --rule: #313c48; --strong: #9ccbf0;
    --band: #1d252e; --note: #14232f; --edge: #3f6f93;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0 auto; max-width: 58rem; padding: clamp(1rem, 4vw, 3.5rem); background: var(--paper); color: var(--ink);
  font: 1.03rem/1.6 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
html { background: var(--ground); }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; }
.kind { margin: 0; color: var(--soft); letter-spacing: .12em; text-transform: uppercase; font-size: .8rem; }
h1 { margin: .3rem 0 0; font-size: clamp(1.9rem, 6vw, 2.8rem); line-height: 1.1; color: var(--strong); }
.policy { margin: .4rem 0 1.8rem; font-size: 1.25rem; color: var(--soft); overflow-wrap: anywhere; }
h2 { margin: 3.2rem 0 .9rem; padding-top: 1rem; border-top: 2px solid var(--strong); font-size: 1.6rem;
  line-height: 1.2; color: var(--strong); overflow-wrap: anywhere; }
h3 { margin: 2.2rem 0 .6rem; font-size: 1.18rem; line-height: 1.3; overflow-wrap: anywhere; }
.at { color: var(--soft); font-weight: 400; font-variant-numeric: tabular-nums; margin-right: .35em; }
p { margin: .7rem 0; max-width: 46rem; overflow-wrap: anywhere; }
ul { margin: .6rem 0; padding-left: 1.3rem; max-width: 46rem; }
li { margin: .3rem 0; overflow-wrap: anywhere; }
a { color: var(--strong); text-underline-offset: .18em; text-decoration-thickness: .06em; }
a:focus-visible { outline: .15rem solid var(--strong); outline-offset: .15rem; }
nav { margin: 2.2rem 0 0; }
nav h2 { margin: 0 0 .5rem; padding: 0; border: 0; font-size: 1.1rem; }
nav ol { margin: 0; padding: 0; list-style: none; columns: 19rem; column-gap: 2.5rem; }
nav li { margin: 0; break-inside: avoid; }
nav a { display: block; padding: .3rem 0; text-decoration: none; }
nav a:hover { text-decoration: underline; }
nav .at { display: inline-block; min-width: 1.6em; }
dl { margin: 1rem 0; border-top: 1px solid var(--rule); }
dl div { display: grid; grid-template-columns: 11rem minmax(0, 1fr); gap: .2rem 1.2rem; padding: .5rem 0;
  border-bottom: 1px solid var(--rule); }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
code { font: .88em ui-monospace, Consolas, Menlo, monospace; overflow-wrap: anywhere; }
.value { white-space: pre-wrap; }
.steps { margin: 1.4rem 0; padding: 0; list-style: none; counter-reset: step; }
.steps > li { position: relative; margin: 0; padding: .8rem 0 .8rem 3.4rem; border-top: 1px solid var(--rule);
  counter-increment: step; }
.steps > li:last-child { border-bottom: 1px solid var(--rule); }
.steps > li::before { content: counter(step); position: absolute; left: 0; top: .85rem; width: 2.4rem;
  text-align: right; color: var(--soft); font-variant-numeric: tabular-nums; }
.steps p { margin: .25rem 0; }
.steps p:not(.title) + p, .steps ul + p { color: var(--soft); font-size: .94rem; }
.steps .title { margin: 0; }
.steps .title code { color: var(--soft); margin-left: .4rem; }
.steps > li:target, section:target > h2, section:target > h3 { background: var(--note); }
.table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; min-width: 60%; }
caption { padding: .3rem 0 .5rem; text-align: left; font-weight: 650; }
th, td { padding: .45rem 1.1rem .45rem 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top;
  font-weight: 400; overflow-wrap: anywhere; }
th:last-child, td:last-child { padding-right: .2rem; }
thead th, thead td { font-size: .88rem; color: var(--soft); border-bottom-color: var(--soft); vertical-align: bottom; }
.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.level-1 { padding-left: 1.4rem; } .level-2 { padding-left: 2.8rem; } .level-3 { padding-left: 4.2rem; }
.level-4 { padding-left: 5.6rem; } .level-5 { padding-left: 7rem; } .level-6 { padding-left: 8.4rem; }
.level-7 { padding-left: 9.8rem; } .level-8 { padding-left: 11.2rem; } .level-9 { padding-left: 12.6rem; }
.example { margin: .8rem 0; padding: .5rem 1.2rem; border-left: .25rem solid var(--edge); background: var(--note); }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--rule); font-size: .85rem;
  color: var(--soft); }
footer p { max-width: none; }
@media (max-width: 40rem) {
  dl div { grid-template-columns: minmax(0, 1fr); }
  .steps > li { padding-left: 2.4rem; }
  .steps > li::before { width: 1.6rem; }
}
@media print {
  :root { color-scheme: light; --paper: #fff; --ground: #fff; --ink: #000; --soft: #444; --rule: #bbb;
    --strong: #000; --band: #f3f3f3; --note: #f7f7f7; --edge: #999; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  a { text-decoration: none; color: inherit; }
  thead { display: table-header-group; }
  tr, dl div, .example, .steps > li { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; }
}
@page { margin: 20mm 18mm; }
""".strip()
