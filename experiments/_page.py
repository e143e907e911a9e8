"""What the pages of docs/experiments are made of: line charts as SVG files, tables, and the block of a page that a script rewrites."""

import html
import math
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "experiments"
PROGRAM = ROOT / "build" / "release" / "pagoda"

STYLE = """
svg { background: #fff; font: 12.5px system-ui, sans-serif; font-variant-numeric: tabular-nums }
text { fill: #23262d } .quiet { fill: #6b717c } .grid { stroke: #e7e9ed } .zero { stroke: #b4b9c2 }
.line { fill: none; stroke: var(--c); stroke-width: 2.25; stroke-linejoin: round } .dash { stroke-dasharray: 5 4 }
.dot { fill: var(--c); stroke: #fff; stroke-width: 1.5 }
.c0 { --c: #2a6fdb } .c1 { --c: #e8702a } .c2 { --c: #12a37f } .c3 { --c: #8a56c9 } .c4 { --c: #d6568f } .n { --c: #8b919c }
@media (prefers-color-scheme: dark) {
  svg { background: #1b1e24 } text { fill: #e7e9ed } .quiet { fill: #989ea9 } .grid { stroke: #2b2f37 } .zero { stroke: #555b66 }
  .dot { stroke: #1b1e24 }
  .c0 { --c: #5b9bf3 } .c1 { --c: #f08c4b } .c2 { --c: #35c4a0 } .c3 { --c: #b18ae8 } .c4 { --c: #ec82b1 } .n { --c: #8a909b }
}
"""

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 400, 64, 32, 84, 52


def simulate(*arguments):
    """`pagoda simulate ...`; its table goes to the terminal."""
    subprocess.run([PROGRAM, "simulate", *map(str, arguments)], check=True)


def round_ticks(low, high, log):
    if log:
        ticks = [[t for e in range(-6, 10) for m in marks if low * 0.999 <= (t := m * 10.0**e) <= high * 1.001] for marks in ((1, 2, 5), (1, 3), (1,))]
        return next((t for t in ticks if len(t) <= 10), ticks[-1])
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (step * m) <= 6)
    return [step * k for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def line_chart(path, title, x_label, y_label, series, *, x_names=None, log_x=False, log_y=False, y_range=None):
    """series: (name, class of STYLE, [(x, y), ...]); a class with "dash" draws a broken line. x_names: {x: name} in place of numbers."""
    series = [(name, c, [p for p in points if math.isfinite(p[1]) and not (log_y and p[1] <= 0)]) for name, c, points in series]
    xs = [x for _, _, points in series for x, _ in points]
    ys = [y for _, _, points in series for _, y in points]
    low, high = y_range or (min(ys), max(ys))
    if not y_range and not log_y:
        low = min(low, 0)
        low, high = low - 0.04 * (high - low) * (low < 0), high + 0.04 * (high - low)
    x_low, x_high = min(xs), max(xs)
    scale, x_scale = math.log if log_y else float, math.log if log_x else float

    def x_of(x):
        return LEFT + (WIDTH - LEFT - RIGHT) * (x_scale(x) - x_scale(x_low)) / (x_scale(x_high) - x_scale(x_low))

    def y_of(y):
        y = min(max(y, low), high)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (scale(y) - scale(low)) / (scale(high) - scale(low))

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{html.escape(title)}</title><style>{STYLE}</style>",
        f'<text x="{LEFT}" y="24" font-size="15" font-weight="600">{html.escape(title)}</text>',
    ]
    x = LEFT
    for name, c, _ in series:
        out.append(f'<path class="line {c}" d="M{x} 46h22"/><text x="{x + 28}" y="50">{html.escape(name)}</text>')
        x += 44 + 6.4 * len(name)
    out.append(f'<text class="quiet" x="{LEFT}" y="{TOP - 10}">{html.escape(y_label)}</text>')
    for t in round_ticks(low, high, log_y):
        kind = "zero" if t == 0 else "grid"
        out.append(f'<path class="{kind}" d="M{LEFT} {y_of(t):.1f}H{WIDTH - RIGHT}"/>')
        out.append(f'<text class="quiet" x="{LEFT - 8}" y="{y_of(t) + 4:.1f}" text-anchor="end">{t:.6g}</text>')
    for t, name in (x_names or {t: f"{t:,.6g}" for t in round_ticks(x_low, x_high, log_x)}).items():
        out.append(f'<text class="quiet" x="{x_of(t):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{html.escape(name)}</text>')
    out.append(f'<text class="quiet" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{html.escape(x_label)}</text>')
    for _, c, points in series:
        out.append(f'<path class="line {c}" d="M{"L".join(f"{x_of(a):.1f} {y_of(b):.1f}" for a, b in points)}"/>')
        if len(points) <= 25:
            out += [f'<circle class="dot {c.split()[0]}" cx="{x_of(a):.1f}" cy="{y_of(b):.1f}" r="3.5"/>' for a, b in points]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(out) + "\n</svg>\n")


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def write_block(page, name, text):
    """Puts text between `<!-- name -->` and `<!-- /name -->` of a page; a page that is not there yet begins with the block alone."""
    path = PAGES / page
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    old = path.read_text() if path.exists() else f"{begin}\n{end}\n"
    before, _, rest = old.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise SystemExit(f"{path}: no block {begin} ... {end} to write into")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}")
