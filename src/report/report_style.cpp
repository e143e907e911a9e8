#include "report/report_style.h"

namespace pagoda::report {

namespace {

constexpr std::string_view kPageCss = R"css(
:root { color-scheme: light dark; --page: #f6f7f9; --rule: #e3e6ea; --tint: #eef1f5; --hit: #0d7f62;
  --hit-tint: #e3f4ee; }
@media (prefers-color-scheme: dark) {
  :root { --page: #121418; --rule: #2b2f37; --tint: #242830; --hit: #4fd3ae; --hit-tint: #17352d; }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--chart-text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 44px 24px 64px; }
h1 { font-size: 2.1rem; line-height: 1.2; letter-spacing: -.015em; margin: 0 0 6px; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; letter-spacing: -.01em; margin: 0 0 4px; }
h3 { font-size: 1rem; margin: 0 0 10px; }
h4 { font-size: .76rem; font-weight: 600; margin: 0 0 8px; color: var(--chart-quiet); letter-spacing: .02em; }
p { margin: 0 0 12px; }
a { color: inherit; text-decoration-color: var(--chart-axis); text-underline-offset: 3px; }
code, pre { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { font-size: .86em; overflow-wrap: anywhere; }
.quiet { color: var(--chart-quiet); }
.note { color: var(--chart-quiet); font-size: .9rem; max-width: 76ch; margin: 0 0 16px; }
.warning { font-weight: 600; max-width: 76ch; margin: 0 0 16px; }
.introduction { font-size: 1.05rem; max-width: 70ch; margin: 0 0 14px; }
nav { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: .9rem; margin: 18px 0 0; }
section { margin-top: 46px; }
.swatch { display: inline-block; width: .7em; height: .7em; border-radius: 3px; background: var(--c);
  margin-right: .5em; }

.facts { display: flex; flex-wrap: wrap; gap: 10px 30px; margin: 18px 0 0; padding: 0; }
.facts dt { font-size: .78rem; color: var(--chart-quiet); }
.facts dd { margin: 0; font-weight: 550; font-variant-numeric: tabular-nums; }

.card { background: var(--chart-surface); border: 1px solid var(--rule); border-radius: 12px; padding: 18px 20px;
  min-width: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 235px), 1fr)); gap: 14px;
  margin-top: 28px; }
.tile { padding: 16px 14px 14px; }
.tile h3 { font-weight: 600; margin: 0 0 4px; }
.tile h3 span { display: block; font-weight: 400; font-size: .84rem; color: var(--chart-quiet); }
.tile .big { font-size: 2rem; font-weight: 620; letter-spacing: -.02em; line-height: 1.25; margin: 0; }
.tile ul { list-style: none; margin: 6px 0 0; padding: 0; }
.tile li { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 6px; padding: 2px 0;
  font-variant-numeric: tabular-nums; }
.tile li > span:first-child { flex: 1 0 auto; max-width: 100%; overflow-wrap: anywhere; padding-left: 1.2em;
  text-indent: -1.2em; font-size: .8rem; line-height: 1.3; }
.tile li .value { display: flex; align-items: baseline; gap: 5px; margin-left: auto; }
.tile li .number { font-size: 1.08rem; font-weight: 620; }
.change { font-size: .78rem; color: var(--chart-quiet); min-width: 2.8em; text-align: right; }
.wide tbody th { white-space: normal; overflow-wrap: anywhere; }

.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 470px), 1fr)); gap: 14px;
  margin-top: 14px; }
.stack { display: grid; gap: 14px; align-content: start; min-width: 0; }
figure { margin: 0; }
figcaption { font-weight: 600; margin-bottom: 12px; }
figcaption span { display: block; font-weight: 400; font-size: .86rem; color: var(--chart-quiet); }
.plot { overflow-x: auto; }
.plot .chart { min-width: 430px; }

.wide { overflow-x: auto; }
.charts + .wide, .wide + .wide { margin-top: 14px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .94rem; }
th, td { padding: 7px 14px 7px 0; text-align: right; border-top: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th:last-child, td:last-child { padding-right: 0; }
thead th { border-top: 0; font-weight: 500; font-size: .86rem; color: var(--chart-quiet); }
tbody th { font-weight: 500; }
.charts > .wide { align-self: start; }
.charts table th .quiet { display: block; font-weight: 400; font-size: .84rem; white-space: normal; }
.best { font-weight: 700; }

.example, .below { margin-top: 14px; }
.sides { display: grid; gap: 14px 28px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 250px), 1fr)); }
.sides ol, .sides ul { list-style: none; margin: 0; padding: 0; font-size: .92rem; line-height: 1.4; }
.sides li { display: grid; grid-template-columns: 1.7em 1fr auto; gap: 8px; padding: 4px 8px; margin: 0 -8px;
  border-radius: 6px; }
.sides ul li { grid-template-columns: 1fr auto; }
.sides .rank { color: var(--chart-quiet); text-align: right; font-variant-numeric: tabular-nums; font-size: .84rem;
  line-height: 1.55; }
.sides .item { overflow-wrap: anywhere; }
.sides .detail { color: var(--chart-quiet); font-size: .84rem; margin-left: .5em; }
.sides .score { color: var(--chart-quiet); font-variant-numeric: tabular-nums; font-size: .84rem; line-height: 1.55; }
.sides .hit { background: var(--hit-tint); }
.sides .hit .score, .found { color: var(--hit); font-weight: 600; }
.sides h4:not(:first-child) { margin-top: 18px; }

details { margin-top: 10px; }
summary { cursor: pointer; font-weight: 550; }
details pre { margin: 14px 0 0; font-size: .82rem; line-height: 1.5; overflow-x: auto; }
details mark { background: var(--tint); color: inherit; box-shadow: -3px 0 var(--c, var(--s0)); padding: 0 .25em; }
footer { margin-top: 46px; padding-top: 16px; border-top: 1px solid var(--rule); color: var(--chart-quiet);
  font-size: .86rem; }
@media (max-width: 560px) { main { padding: 26px 14px 40px; } .card { padding: 14px; } h1 { font-size: 1.6rem; } }
@media print { body { background: none; } .card { break-inside: avoid; } nav { display: none; } }
)css";

}  // namespace

std::string_view report_css() { return kPageCss; }

}  // namespace pagoda::report
