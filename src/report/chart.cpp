#include "report/chart.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>

#include "core/error.h"
#include "report/chart_scale.h"

namespace pagoda::report {

namespace {

constexpr double kWidth = 520, kHeight = 300, kRight = 14, kBottom = 48, kLegendRow = 20;
constexpr size_t kLinePoints = 100, kDots = 24, kScatterPoints = 2000, kBarLabels = 16;

template <class... Args>
void put(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

// The width of a letter in the size of chart_css(). The font is the reader's, so this is an estimate on the wide side.
double letter_width(char c) {
  if ((c & 0xc0) == 0x80) return 0;  // a later byte of a UTF-8 character
  if (std::string_view("iljtf.,:;'|! ").find(c) != std::string_view::npos) return 4.6;
  if (std::string_view("@%mwMW").find(c) != std::string_view::npos) return 12;
  return c >= 'A' && c <= 'Z' ? 9 : 7.6;
}
double text_width(std::string_view text) {
  double width = 0;
  for (const char c : text) width += letter_width(c);
  return width;
}

std::string shortened(const std::string& text, double width) {
  if (text_width(text) <= width) return text;
  std::string kept;
  double used = letter_width('W');  // the ellipsis
  for (const char c : text) {
    used += letter_width(c);
    if (used > width && (c & 0xc0) != 0x80) break;
    kept += c;
  }
  return kept + "…";
}

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

// An axis with its range and ticks. `round` widens the range to the ticks around it.
struct Drawn {
  Scale scale;
  std::vector<double> ticks;
  std::vector<std::string> labels;
};

Drawn settle(const Axis& axis, Range range, bool round, int most_ticks) {
  Drawn drawn;
  drawn.scale.log = axis.log;
  if (range.empty()) range = axis.log ? Range{1, 10} : Range{0, 1};
  if (axis.from_zero && !axis.log) range.add(0);
  for (const double tick : axis.ticks) range.add(tick);
  if (range.low == range.high) {
    const double margin = range.low == 0 ? 1 : std::abs(range.low) * 0.1;
    if (axis.log)
      range = {range.low / 2, range.high * 2};
    else
      range = {axis.from_zero && range.low >= 0 ? 0 : range.low - margin, range.high + margin};
  }
  if (axis.log) {
    if (round) range = {range.low / 1.15, range.high * 1.15};
    drawn.ticks = log_ticks(range.low, range.high);
  } else {
    if (round) {
      const double step = nice_step(range.low, range.high, most_ticks);
      range = {std::floor(range.low / step + 1e-6) * step, std::ceil(range.high / step - 1e-6) * step};
    }
    drawn.ticks = nice_ticks(range.low, range.high, most_ticks);
  }
  if (!axis.ticks.empty()) drawn.ticks = axis.ticks;
  drawn.scale.low = range.low;
  drawn.scale.high = range.high;
  if (axis.log)
    for (const double tick : drawn.ticks) drawn.labels.push_back(tick_labels({tick}, axis.percent)[0]);
  else
    drawn.labels = tick_labels(drawn.ticks, axis.percent);
  return drawn;
}

struct Key {
  std::string name;
  int color;
};

// The frame of a chart: opening tag, texts, legend, y axis; then the chart draws inside left..right and top..bottom.
struct Sheet {
  std::string out;
  double left = 0, right = kWidth - kRight, top = 0, bottom = kHeight - kBottom;
};

Sheet open_sheet(const std::string& title, const std::string& description, const std::vector<Key>& keys,
                 const std::string& y_label, bool thin_keys, Drawn& y) {
  Sheet sheet;
  put(sheet.out,
      "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\">\n"
      "<title>{}</title>\n<desc>{}</desc>\n",
      kWidth, kHeight, escape_markup(title), escape_markup(description));
  double at = 2, row = 14;
  if (keys.size() > 1) {
    for (const auto& key : keys) {
      const std::string name = shortened(key.name, 260);
      const double width = 18 + text_width(name) + 16;
      if (at > 2 && at + width > kWidth) {
        at = 2;
        row += kLegendRow;
      }
      put(sheet.out, "<rect class=\"key {}\" x=\"{:.0f}\" y=\"{:.0f}\" width=\"12\" height=\"{}\" rx=\"{}\"/>",
          color_class(key.color), at, row - (thin_keys ? 6 : 10), thin_keys ? 3 : 11, thin_keys ? 1.5 : 3);
      put(sheet.out, "<text x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n", at + 18, row, escape_markup(name));
      at += width;
    }
    row += kLegendRow + 6;
  }
  put(sheet.out, "<text class=\"quiet\" x=\"2\" y=\"{:.0f}\">{}</text>\n", row, escape_markup(y_label));
  sheet.top = row + 14;
  double widest = 0;
  for (const auto& label : y.labels) widest = std::max(widest, text_width(label));
  sheet.left = widest + 10;
  y.scale.from = sheet.bottom;
  y.scale.to = sheet.top;
  for (size_t i = 0; i < y.ticks.size(); ++i) {
    const double height = y.scale.at(y.ticks[i]);
    put(sheet.out, "<path class=\"{}\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>", i == 0 && y.ticks[i] == 0 ? "axis" : "grid",
        sheet.left, height, sheet.right);
    put(sheet.out, "<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", sheet.left - 8,
        height + 4, y.labels[i]);
  }
  return sheet;
}

void put_x_axis(Sheet& sheet, const Axis& axis, Drawn& x, bool grid) {
  double previous = -1e9;
  for (size_t i = 0; i < x.ticks.size(); ++i) {
    const double at = x.scale.at(x.ticks[i]), half = text_width(x.labels[i]) / 2;
    if (grid) put(sheet.out, "<path class=\"grid\" d=\"M{:.1f} {:.1f}V{:.1f}\"/>", at, sheet.top, sheet.bottom);
    if (at - half < previous + 6) continue;
    // The last label must not leave the sheet.
    const bool at_edge = at + half > kWidth;
    put(sheet.out, "<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n",
        at_edge ? kWidth : at, sheet.bottom + 18, at_edge ? "end" : "middle", x.labels[i]);
    previous = at + half;
  }
  put(sheet.out, "<text class=\"quiet\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", sheet.right,
      sheet.bottom + 38, escape_markup(axis.label));
}

struct Row {
  std::string name, value;
  int color;
  double dot = NAN;  // height of a dot on the line at x; NaN: none
};

// A band over which a pointer can hover, and the box with the values there. x: position of the vertical line; NaN:
// none.
void put_hover(Sheet& sheet, double from, double to, double x, const std::string& heading,
               const std::vector<Row>& rows) {
  double width = text_width(heading);
  for (const auto& row : rows)
    width = std::max(width, 24 + text_width(shortened(row.name, 200)) + text_width(row.value));
  width += 20;
  const double height = 26 + 17 * static_cast<double>(rows.size());
  const double middle = std::isnan(x) ? (from + to) / 2 : x;
  double left = std::isnan(x) ? middle - width / 2 : middle + 12;
  if (left + width > kWidth - 2) left = std::isnan(x) ? kWidth - 2 - width : middle - 12 - width;
  left = std::max(2.0, left);
  // The empty title keeps the browser from showing the chart's title over the box.
  put(sheet.out,
      "<g class=\"hover\"><title></title><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/><g>", from,
      sheet.top, to - from, sheet.bottom - sheet.top);
  if (!std::isnan(x)) put(sheet.out, "<path class=\"cross\" d=\"M{:.1f} {:.1f}V{:.1f}\"/>", x, sheet.top, sheet.bottom);
  for (const auto& row : rows)
    if (!std::isnan(row.dot))
      put(sheet.out, "<circle class=\"dot {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4.5\"/>", color_class(row.color), x,
          row.dot);
  const double top = std::max(2.0, sheet.top + 4);
  put(sheet.out, "<rect class=\"box\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"6\"/>", left,
      top, width, height);
  put(sheet.out, "<text class=\"quiet\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", left + 10, top + 17,
      escape_markup(heading));
  for (size_t i = 0; i < rows.size(); ++i) {
    const double y = top + 34 + 17 * static_cast<double>(i);
    put(sheet.out, "<rect class=\"key {}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"8\" height=\"8\" rx=\"2\"/>",
        color_class(rows[i].color), left + 10, y - 8);
    put(sheet.out, "<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", left + 24, y,
        escape_markup(shortened(rows[i].name, 200)));
    put(sheet.out, "<text class=\"value\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", left + width - 10,
        y, rows[i].value);
  }
  sheet.out += "</g></g>\n";
}

// The short text above a narrow bar: ".172", "31%".
std::string bar_label(double value, bool percent) {
  if (percent) return fmt::format("{:.0f}%", value * 100);
  if (value <= 0 || value >= 0.9995) return number_text(value, false);
  return fmt::format("{:.3f}", value).substr(1);
}

bool shown(const Axis& axis, double value) { return std::isfinite(value) && (!axis.log || value > 0); }

std::vector<Point> shown_points(const Axis& x, const Axis& y, const std::vector<Point>& points) {
  std::vector<Point> kept;
  for (const auto& point : points)
    if (shown(x, point.x) && shown(y, point.y)) kept.push_back(point);
  return kept;
}

// At most `most` points: means of equal runs of neighbours.
std::vector<Point> means(const std::vector<Point>& points, size_t most) {
  if (points.size() <= most) return points;
  std::vector<Point> result;
  for (size_t i = 0; i < most; ++i) {
    const size_t begin = i * points.size() / most, end = (i + 1) * points.size() / most;
    Point sum;
    for (size_t j = begin; j < end; ++j) {
      sum.x += points[j].x;
      sum.y += points[j].y;
    }
    const auto n = static_cast<double>(end - begin);
    result.push_back({sum.x / n, sum.y / n});
  }
  return result;
}

std::string described(const std::string& description, const std::string& rest) {
  return description.empty() || rest.empty() ? description + rest : description + " " + rest;
}

// The few labelled points of a scatter chart: a dot each with its label above it, and a line through them if joined.
void put_labelled(Sheet& sheet, const Series& series, const Axis& x_axis, const Axis& y_axis, const Scale& x,
                  const Scale& y) {
  check(series.labels.size() == series.points.size(), "a labelled series has one label a point");
  std::string path, dots;
  for (size_t i = 0; i < series.points.size(); ++i) {
    const auto& point = series.points[i];
    if (!shown(x_axis, point.x) || !shown(y_axis, point.y)) continue;
    const double left = x.at(point.x), top = y.at(point.y);
    put(path, "{}{:.1f} {:.1f}", path.empty() ? "M" : "L", left, top);
    put(dots, "<circle class=\"dot {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\"><title>{}: {}, {}</title></circle>",
        color_class(series.color), left, top,
        escape_markup(series.labels[i].empty() ? series.name : series.name + " " + series.labels[i]),
        number_text(point.x, x_axis.percent), number_text(point.y, y_axis.percent));
    if (!series.labels[i].empty()) {
      const double half = text_width(series.labels[i]) / 2;
      put(dots, "<text class=\"quiet small\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
          std::clamp(left, half, kWidth - half), top - 9, escape_markup(series.labels[i]));
    }
  }
  if (series.joined) put(sheet.out, "<path class=\"line {}\" d=\"{}\"/>\n", color_class(series.color), path);
  sheet.out += dots + "\n";
}

std::string nothing_to_draw(Sheet sheet) {
  put(sheet.out, "<text class=\"quiet\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">nothing measured</text>\n</svg>\n",
      kWidth / 2, kHeight / 2);
  return sheet.out;
}

}  // namespace

std::string color_class(int color) {
  if (color == kNeutral) return "neutral";
  if (color == kFaint) return "faint";
  return fmt::format("s{}", color % 8);
}

std::string svg(const LineChart& chart) {
  std::vector<std::vector<Point>> lines;
  std::vector<Key> keys;
  Range xs, ys;
  std::string words;
  for (const auto& series : chart.series) {
    lines.push_back(means(shown_points(chart.x, chart.y, series.points), kLinePoints));
    keys.push_back({series.name, series.color});
    for (const auto& point : lines.back()) {
      xs.add(point.x);
      ys.add(point.y);
    }
    if (lines.back().empty()) continue;
    const Point first = lines.back().front(), last = lines.back().back();
    put(words, "{}{}: {} at {}, {} at {}.", words.empty() ? "" : " ", series.name,
        number_text(first.y, chart.y.percent), number_text(first.x, chart.x.percent),
        number_text(last.y, chart.y.percent), number_text(last.x, chart.x.percent));
  }
  Drawn x = settle(chart.x, xs, false, 7), y = settle(chart.y, ys, true, 5);
  Sheet sheet = open_sheet(chart.title, described(chart.description, words), keys, chart.y.label, true, y);
  if (xs.empty()) return nothing_to_draw(std::move(sheet));
  x.scale.from = sheet.left + 6;
  x.scale.to = sheet.right - 6;
  put_x_axis(sheet, chart.x, x, false);

  for (size_t s = 0; s < lines.size(); ++s) {
    if (lines[s].empty()) continue;
    std::string path;
    for (const auto& point : lines[s])
      put(path, "{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x.scale.at(point.x), y.scale.at(point.y));
    put(sheet.out, "<path class=\"line {}\" d=\"{}\"/>\n", color_class(chart.series[s].color), path);
    if (lines[s].size() > kDots) continue;
    for (const auto& point : lines[s])
      put(sheet.out, "<circle class=\"dot {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\"/>",
          color_class(chart.series[s].color), x.scale.at(point.x), y.scale.at(point.y));
    sheet.out += '\n';
  }

  // x -> the value of each series there
  std::map<double, std::vector<Row>> at;
  for (size_t s = 0; s < lines.size(); ++s)
    for (const auto& point : lines[s])
      at[point.x].push_back(
          {chart.series[s].name, number_text(point.y, chart.y.percent), chart.series[s].color, y.scale.at(point.y)});
  for (auto here = at.begin(); here != at.end(); ++here) {
    const double middle = x.scale.at(here->first);
    const auto next = std::next(here);
    const double from = here == at.begin() ? sheet.left : (middle + x.scale.at(std::prev(here)->first)) / 2;
    const double to = next == at.end() ? sheet.right : (middle + x.scale.at(next->first)) / 2;
    put_hover(sheet, from, to, middle, chart.x.label + " " + number_text(here->first, chart.x.percent), here->second);
  }
  return sheet.out + "</svg>\n";
}

std::string svg(const BarChart& chart) {
  std::vector<Key> keys;
  Range values;
  std::string words;
  size_t bars = 0;
  for (const auto& series : chart.series) {
    check(series.values.size() == chart.groups.size(), "a bar chart has one value a group");
    keys.push_back({series.name, series.color});
    put(words, "{}{}:", words.empty() ? "" : " ", series.name);
    for (size_t g = 0; g < chart.groups.size(); ++g) {
      if (!std::isfinite(series.values[g])) continue;
      values.add(series.values[g]);
      ++bars;
      put(words, " {} {},", chart.groups[g], number_text(series.values[g], chart.y.percent));
    }
    words.back() = words.ends_with(',') ? '.' : ':';
  }
  check(chart.notes.empty() || chart.notes.size() == chart.groups.size(), "a bar chart has one note a group");
  Axis axis = chart.y;
  axis.from_zero = true;
  Drawn y = settle(axis, values, true, 5);
  Sheet sheet = open_sheet(chart.title, described(chart.description, words), keys, chart.y.label, false, y);
  if (values.empty()) return nothing_to_draw(std::move(sheet));

  const double group_width = (sheet.right - sheet.left) / static_cast<double>(chart.groups.size());
  const auto count = static_cast<double>(chart.series.size());
  const double bar = std::min(46.0, (group_width * 0.78 - 2 * (count - 1)) / count);
  const double zero = y.scale.at(0);
  std::vector<std::vector<Row>> hovers;
  for (size_t g = 0; g < chart.groups.size(); ++g) {
    const double left = sheet.left + static_cast<double>(g) * group_width, middle = left + group_width / 2;
    double at = middle - (bar * count + 2 * (count - 1)) / 2;
    std::vector<Row> rows;
    for (const auto& series : chart.series) {
      const double value = series.values[g];
      if (std::isfinite(value)) {
        const double end = y.scale.at(value), radius = std::min({3.0, bar / 2, std::abs(zero - end)});
        const double turn = end < zero ? radius : -radius;
        put(sheet.out,
            "<path class=\"bar {}\" d=\"M{:.1f} {:.1f}V{:.1f}q0 {:.1f} {:.1f} {:.1f}h{:.1f}q{:.1f} 0 {:.1f} "
            "{:.1f}V{:.1f}z\"/>",
            color_class(series.color), at, zero, end + turn, -turn, radius, -turn, bar - 2 * radius, radius, radius,
            turn, zero);
        const std::string label = number_text(value, chart.y.percent), brief = bar_label(value, chart.y.percent);
        if (bars <= kBarLabels && text_width(brief) < bar + 3)
          put(sheet.out, "<text class=\"value small\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>",
              at + bar / 2, end - 5, brief);
        rows.push_back({series.name, label, series.color});
      }
      at += bar + 2;
    }
    put(sheet.out, "\n<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", middle,
        sheet.bottom + 18, escape_markup(shortened(chart.groups[g], group_width)));
    if (!chart.notes.empty())
      put(sheet.out, "<text class=\"quiet small\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", middle,
          sheet.bottom + 34, escape_markup(shortened(chart.notes[g], group_width)));
    hovers.push_back(std::move(rows));
  }
  for (size_t g = 0; g < hovers.size(); ++g) {  // after all the bars, so that the boxes lie above them
    const double left = sheet.left + static_cast<double>(g) * group_width;
    put_hover(sheet, left, left + group_width, NAN, chart.groups[g], hovers[g]);
  }
  return sheet.out + "</svg>\n";
}

std::string svg(const ScatterChart& chart) {
  std::vector<Key> keys;
  Range xs, ys;
  std::vector<std::vector<Point>> clouds;
  std::string words;
  for (const auto& series : chart.series) {
    clouds.push_back(shown_points(chart.x, chart.y, series.points));
    keys.push_back({series.name, series.color});
    for (const auto& point : clouds.back()) {
      xs.add(point.x);
      ys.add(point.y);
    }
    put(words, "{}{}: {} points.", words.empty() ? "" : " ", series.name, clouds.back().size());
  }
  if (chart.diagonal && !xs.empty()) {  // one range for both, so that y = x is the diagonal
    xs.add(ys.low);
    xs.add(ys.high);
    ys = xs;
  }
  Drawn x = settle(chart.x, xs, true, 6), y = settle(chart.y, ys, true, 6);
  Sheet sheet = open_sheet(chart.title, described(chart.description, words), keys, chart.y.label, false, y);
  if (xs.empty()) return nothing_to_draw(std::move(sheet));
  x.scale.from = sheet.left;
  x.scale.to = sheet.right;
  put_x_axis(sheet, chart.x, x, true);
  if (chart.diagonal) {
    const double low = std::max(x.scale.low, y.scale.low), high = std::min(x.scale.high, y.scale.high);
    put(sheet.out, "<path class=\"diagonal\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>\n", x.scale.at(low), y.scale.at(low),
        x.scale.at(high), y.scale.at(high));
  }
  for (size_t s = 0; s < clouds.size(); ++s) {
    if (!chart.series[s].labels.empty()) {
      put_labelled(sheet, chart.series[s], chart.x, chart.y, x.scale, y.scale);
      continue;
    }
    const size_t stride = (clouds[s].size() + kScatterPoints - 1) / kScatterPoints;
    put(sheet.out, "<g class=\"cloud {}\">", color_class(chart.series[s].color));
    for (size_t i = 0; i < clouds[s].size(); i += stride)
      put(sheet.out, "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\"/>", x.scale.at(clouds[s][i].x),
          y.scale.at(clouds[s][i].y));
    sheet.out += "</g>\n";
  }
  return sheet.out + "</svg>\n";
}

}  // namespace pagoda::report
