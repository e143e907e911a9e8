#include "report/chart.h"

namespace pagoda::report {

namespace {

constexpr std::string_view kCss = R"css(
:root {
  --s0: #2a6fdb; --s1: #e8702a; --s2: #12a37f; --s3: #8a56c9; --s4: #d6568f; --s5: #b58a00; --s6: #3d9fc2;
    --s7: #a5523b;
  --neutral: #8b919c; --faint: #c9cdd4; --chart-surface: #fff; --chart-text: #23262d; --chart-quiet: #6b717c;
  --chart-grid: #e7e9ed; --chart-axis: #b4b9c2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --s0: #5b9bf3; --s1: #f08c4b; --s2: #35c4a0; --s3: #b18ae8; --s4: #ec82b1; --s5: #d9b13b; --s6: #67c0df;
      --s7: #cf8069;
    --neutral: #8a909b; --faint: #4d535e; --chart-surface: #1b1e24; --chart-text: #e7e9ed; --chart-quiet: #989ea9;
    --chart-grid: #2b2f37; --chart-axis: #555b66;
  }
}
.s0 { --c: var(--s0); } .s1 { --c: var(--s1); } .s2 { --c: var(--s2); } .s3 { --c: var(--s3); }
.s4 { --c: var(--s4); } .s5 { --c: var(--s5); } .s6 { --c: var(--s6); } .s7 { --c: var(--s7); }
.neutral { --c: var(--neutral); } .faint { --c: var(--faint); }
.chart { display: block; width: 100%; height: auto; font-size: 12.5px; font-variant-numeric: tabular-nums; }
.chart text { fill: var(--chart-text); }
.chart .tick, .chart .quiet { fill: var(--chart-quiet); }
.chart .small { font-size: 11px; }
.chart .value { font-weight: 600; }
.chart .grid { stroke: var(--chart-grid); fill: none; }
.chart .axis { stroke: var(--chart-axis); fill: none; }
.chart .line { fill: none; stroke: var(--c); stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round; }
.chart .key, .chart .bar { fill: var(--c); }
.chart .dot { fill: var(--c); stroke: var(--chart-surface); stroke-width: 1.5; }
.chart .cloud { fill: var(--c); fill-opacity: .45; }
.chart .diagonal { stroke: var(--chart-quiet); stroke-dasharray: 4 4; fill: none; }
.chart .hover > rect { fill: transparent; }
.chart .hover > g { visibility: hidden; pointer-events: none; }
.chart .hover:hover > g { visibility: visible; }
.chart .cross { stroke: var(--chart-axis); fill: none; }
.chart .box { fill: var(--chart-surface); stroke: var(--chart-axis); stroke-opacity: .6; }
)css";

}  // namespace

std::string_view chart_css() { return kCss; }

}  // namespace pagoda::report
