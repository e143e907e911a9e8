"""What a notebook shows: small tables and charts that follow the notebook's own colours, light or dark."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._evaluation import Evaluation
    from ._index import Index
    from ._model import Model
    from ._recommendations import Recommendations

# Ink is the notebook's text colour; one accent that reads on both grounds.
_STYLE = """<style>
.pagoda{font:13px/1.45 system-ui,sans-serif;color:inherit;max-width:60rem}
.pagoda table{border-collapse:collapse;margin:.4em 0;color:inherit}
.pagoda th,.pagoda td{padding:.15em .8em .15em 0;text-align:left;border:0;background:none;color:inherit}
.pagoda th{font-weight:600;opacity:.7}
.pagoda td.n{text-align:right;font-variant-numeric:tabular-nums}
.pagoda .bar{display:inline-block;height:.7em;background:#2a7f9e;border-radius:2px;vertical-align:baseline}
.pagoda .quiet{opacity:.65}
.pagoda svg text{fill:currentColor}
</style>"""


def _page(*parts: str) -> str:
    return f'{_STYLE}<div class="pagoda">{"".join(parts)}</div>'


def _table(header: list[str], rows: list[list[Any]], numbers: set[int]) -> str:
    head = "".join(f"<th>{escape(h)}</th>" for h in header)

    def cell(i: int, value: Any) -> str:
        text = value if isinstance(value, _Raw) else escape(str(value))
        return f'<td class="n">{text}</td>' if i in numbers else f"<td>{text}</td>"

    body = "".join("<tr>" + "".join(cell(i, v) for i, v in enumerate(row)) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class _Raw(str):
    """HTML of our own."""


def _bar(value: float, most: float) -> _Raw:
    width = 0 if most <= 0 else max(0.0, min(1.0, value / most)) * 12
    return _Raw(f'<span class="bar" style="width:{width:.2f}em"></span>')


def curve(points: list[tuple[float, float]], title: str, width: int = 320, height: int = 110) -> str:
    """A line chart of (x, y), with the ends of both axes named."""
    points = [(x, y) for x, y in points if y == y]
    if len(points) < 2:
        return ""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    low, high = min(ys), max(ys)
    wide, tall = max(xs) - min(xs) or 1, high - low or 1
    left, top = 52, 18

    def at(x: float, y: float) -> str:
        return f"{left + (x - min(xs)) / wide * (width - left - 8):.1f},{top + (high - y) / tall * (height - top - 18):.1f}"

    path = " ".join(at(x, y) for x, y in points)
    return (f'<svg width="{width}" height="{height}" role="img" aria-label="{escape(title)}" font-size="11">'
            f'<text x="0" y="12">{escape(title)}</text>'
            f'<text x="0" y="{top + 8}" opacity=".65">{high:.4g}</text>'
            f'<text x="0" y="{height - 18}" opacity=".65">{low:.4g}</text>'
            f'<text x="{left}" y="{height - 3}" opacity=".65">{min(xs):g}</text>'
            f'<text x="{width - 8}" y="{height - 3}" text-anchor="end" opacity=".65">{max(xs):g}</text>'
            f'<polyline points="{path}" fill="none" stroke="#2a7f9e" stroke-width="2"/></svg>')


def model(of: Model) -> str:
    info = of.info
    facts = [["users", f"{info['users']:,}"], ["items", f"{len(of):,}"], ["rows learnt", f"{info['training_rows']:,}"],
             ["dimensions", info["dim"]], ["index", of._card["index"]], ["fingerprint", of.fingerprint]]
    charts = ""
    chosen = [r for r in of.history if r.get("phase", "choose") in ("", "choose")]
    charts += curve([(r["epoch"], r["loss"]) for r in chosen if r.get("loss") is not None], "loss by epoch")
    judged = {n for r in chosen for n in r.get("validation", {})}
    for name in sorted(judged, key=lambda n: (not n.startswith("recall"), n))[:2]:
        charts += curve([(r["epoch"], r["validation"][name]) for r in chosen if name in r.get("validation", {})],
                        f"{name} on validation")
    return _page("<strong>pagoda.Model</strong>", _table(["", ""], facts, {1}), charts)


def index(of: Index) -> str:
    card = of._card()
    facts = [["items", f"{len(of):,}"], ["dimensions", of.vectors.shape[1]], ["kind", card["index"]],
             ["attributes", ", ".join(f"{name} ({kind})" for name, kind in card["attributes"].items()) or "none"]]
    return _page("<strong>pagoda.Index</strong>", _table(["", ""], facts, {1}))


def evaluation(of: Evaluation) -> str:
    figures = of.figures
    rows: dict[str, dict[str, float]] = {"model": of.metrics} | of.baselines
    lengths = sorted({int(name.partition("@")[2]) for name in of.metrics if "@" in name})
    shown = [f"{name}@{k}" for name in ("recall", "ndcg") for k in lengths[:3]]
    shown = [name for name in shown if name in of.metrics]
    most = max((r.get(shown[0], 0) or 0 for r in rows.values()), default=0) if shown else 0
    body = [[name, *[f"{r[m]:.4f}" if r.get(m) is not None else "-" for m in shown],
             _bar(r.get(shown[0], 0) or 0, most) if shown else ""] for name, r in rows.items()]
    intervals = [f"{m}: {low:.4f} to {high:.4f}" for m, (low, high) in of.intervals.items() if m in shown]
    note = f'<div class="quiet">95% intervals: {escape("; ".join(intervals))}</div>' if intervals else ""
    buckets = figures.get("by_item_popularity") or []
    by = ""
    if buckets and shown:
        name = next((n for n in buckets[0] if n.startswith("recall@")), None)
        if name:
            top = max((b.get(name) or 0) for b in buckets)
            by = _table([f"{name} by popularity", "", ""],
                        [[b["bucket"], f"{b[name]:.4f}" if b.get(name) is not None else "-",
                          _bar(b.get(name) or 0, top)] for b in buckets], {1})
    title = f"<strong>Evaluation</strong> of {figures.get('users', 0):,} users against {figures.get('items', 0):,} items"
    return _page(title, _table(["", *shown, ""], body, set(range(1, len(shown) + 1))), note, by)


def recommendations(of: Recommendations, users: int = 5, items: int = 10) -> str:
    rows = []
    for row in range(min(len(of), users)):
        ids, scores = of[row]
        for rank, (item, score) in enumerate(zip(ids[:items], scores[:items]), 1):
            rows.append([of.users[row] if rank == 1 else "", rank, item, f"{float(score):.4f}"])
    k = of.scores.shape[1] if of.scores.ndim == 2 else 0
    more = f'<div class="quiet">{len(of):,} lists of up to {k:,}</div>'
    return _page(_table([of._names[0], "", of._names[1], "score"], rows, {1, 3}), more)
