"""The look of statements in a browser and on paper: one style sheet, put into each page."""

SHEET = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ground: #eef1f4; --ink: #18212b; --soft: #52606d; --rule: #d3dae1; --strong: #123b5d;
  --band: #f5f7f9; --notice: #e8f1f8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #161c23; --ground: #0d1116; --ink: #e6ebf0; --soft: #a3b0bd; --rule: #313c48; --strong: #9ccbf0;
    --band: #1d252e; --notice: #16293a;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 56rem; margin: 0 auto; padding: clamp(1rem, 4vw, 3rem); background: var(--paper); }
.number { margin: 0; color: var(--soft); font-variant-numeric: tabular-nums; }
.number strong { color: var(--ink); }
h1 { margin: .2rem 0 0; font-size: clamp(1.6rem, 5vw, 2.3rem); line-height: 1.15; color: var(--strong);
  overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.25rem; color: var(--strong); }
.path { margin: .4rem 0 0; padding: 0; list-style: none; color: var(--soft); }
.path li { display: inline; }
.path li + li::before { content: "› "; content: "› " / ""; }
.notice { margin: 1.5rem 0; padding: .75rem 1rem; border-left: .3rem solid var(--strong); background: var(--notice); }
.notice p { margin: 0; }
.sums { display: flex; flex-wrap: wrap; gap: .75rem 2.5rem; margin: 1.5rem 0; padding: 0; }
.sums div { min-width: 9rem; }
.sums dt { color: var(--soft); }
.sums dd { margin: 0; font-size: clamp(1.5rem, 5vw, 2rem); font-weight: 650; line-height: 1.2;
  font-variant-numeric: tabular-nums; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: .75rem 1.5rem; margin: 0;
  padding: 1rem 0; border-top: 1px solid var(--rule); border-bottom: 1px solid var(--rule); }
.facts dt { font-size: .85rem; color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; margin: 0 0 1.75rem; border-collapse: collapse; }
caption { padding: .4rem 0; text-align: left; font-weight: 650; }
th, td { padding: .55rem .5rem; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top;
  font-weight: 400; overflow-wrap: anywhere; }
thead th { font-size: .85rem; color: var(--soft); border-bottom-color: var(--soft); }
td strong { font-weight: 600; }
tfoot th, tfoot td { font-weight: 650; background: var(--band); }
.line { width: 3.2rem; color: var(--soft); }
.amount, thead th.amount { width: 9.5rem; text-align: right; white-space: nowrap; }
.amount, .line, .exact { font-variant-numeric: tabular-nums; }
.word { display: block; font-size: .8rem; color: var(--soft); }
.why { display: block; font-size: .9rem; color: var(--soft); }
details { font-size: .85rem; }
summary { width: fit-content; min-height: 1.5rem; color: var(--soft); cursor: pointer; }
summary:focus-visible, a:focus-visible { outline: .15rem solid var(--strong); outline-offset: .15rem; }
details p { margin: .2rem 0 0; }
footer { margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid var(--rule); font-size: .8rem;
  color: var(--soft); }
footer dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .2rem 1rem; margin: 0; }
footer dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, Consolas, Menlo, monospace; }
a { color: var(--strong); }
@media (max-width: 36rem) {
  .line { width: 2.2rem; padding-left: 0; }
  .amount, thead th.amount { width: 7rem; padding-right: 0; }
  footer dl { grid-template-columns: minmax(0, 1fr); }
  footer dd { margin-bottom: .5rem; }
}
@media print {
  :root {
    color-scheme: light; --paper: #fff; --ground: #fff; --ink: #000; --soft: #444; --rule: #bbb; --strong: #000;
    --band: #f3f3f3; --notice: #fff;
  }
  body { font-size: 9.5pt; }
  main { max-width: none; padding: 0; }
  thead { display: table-header-group; }
  tr, .notice, .facts { break-inside: avoid; }
  h2, caption { break-after: avoid; }
  details:not([open]) { display: none; }
}
@page { margin: 18mm 16mm; }
""".strip()
