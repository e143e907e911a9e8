// Charts as inline SVG: no script, no network, colours from the page's style sheet (light and dark).
//
// An <svg> drawn here uses the classes of chart_css(), which a page includes once. It scales with its container, has a
// <title> and a <desc> that say in words what it shows, and a box with the values where a pointer hovers (by the style
// sheet alone). Numbers that are not finite, and numbers at or below 0 on a log axis, are left out. All text is escaped
// here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pagoda::report {

// Escapes text for XML and HTML, including attributes: & < > " ' become entities; a control character or an invalid
// UTF-8 byte becomes U+FFFD, so that a page stays well-formed whatever the text.
std::string escape_markup(std::string_view text);

// Colours: 0..7 distinguish things of one kind; the neutral ones are for what they are compared with.
inline constexpr int kNeutral = -1, kFaint = -2;
std::string color_class(int color);  // of chart_css(): sets --c

struct Axis {
  std::string label;
  bool log = false;
  bool from_zero = false;          // the axis includes 0 whatever the values are
  bool percent = false;            // 0.25 reads 25%
  std::vector<double> ticks = {};  // empty: round numbers
};

struct Point {
  double x = 0, y = 0;
};

struct Series {
  std::string name;
  std::vector<Point> points;  // in order of x for a line
  int color = 0;
  std::vector<std::string> labels = {};  // scatter chart: a label for each point; empty: no labels, and small points
  bool joined = false;                   // scatter chart: a line joins the points
};

// Lines, with a dot at each point if there are few. A series of more than 100 points is drawn as 100 means of
// neighbours, so that a noisy loss reads as a curve.
struct LineChart {
  std::string title, description = {};
  Axis x, y;
  std::vector<Series> series;
};

// For each group (bucket), one bar of each series, side by side. NaN: no bar.
struct BarChart {
  struct Bars {
    std::string name;
    std::vector<double> values;  // one per group
    int color = 0;
  };
  std::string title, description;
  std::vector<std::string> groups;
  std::vector<std::string> notes;  // a second, quieter line below each group's name; empty: none
  Axis y;                          // linear, from 0
  std::vector<Bars> series;
};

// Points. `diagonal` draws y = x, where two measures of one thing agree. A series of more than 2000 points is thinned.
struct ScatterChart {
  std::string title, description;
  Axis x, y;
  bool diagonal = false;
  std::vector<Series> series;
};

std::string svg(const LineChart& chart);
std::string svg(const BarChart& chart);
std::string svg(const ScatterChart& chart);
std::string_view chart_css();

}  // namespace pagoda::report
