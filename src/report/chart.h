// Charts as inline SVG: no script, no network, colours from the page's style sheet (light and dark).
//
// An <svg> drawn here uses the classes of chart_css(), which a page includes once. It scales with its container, has a
// <title> and a <desc> that say in words what it shows, and, where a pointer hovers, a box with the values there
// (style sheet alone). Numbers that are not finite, and numbers below or at 0 on a log axis, are left out. All text is
// escaped here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pagoda::report {

// For text of XML and HTML, attributes included: & < > " ' become entities; a control character, or a byte that is no
// UTF-8, becomes U+FFFD, so that a page with any text in it stays well-formed.
std::string escape_markup(std::string_view text);

// Colours: 0..7 tell things of one kind apart; the neutral ones are for what they are compared with.
inline constexpr int kNeutral = -1, kFaint = -2;
std::string color_class(int color);  // of chart_css(): sets --c

struct Axis {
  std::string label;
  bool log = false;
  bool from_zero = false;          // the axis reaches to 0 whatever the values are
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
  std::vector<std::string> labels = {};  // of a scatter chart: beside each point; empty: none, and small points
  bool joined = false;                   // of a scatter chart: a line runs from point to point
};

// Lines, with a dot at each point while there are few. More than 100 points a series are drawn as 100 means of
// neighbours, so that a noisy loss reads as a curve.
struct LineChart {
  std::string title, description = {};
  Axis x, y;
  std::vector<Series> series;
};

// For each group (bucket) one bar of each series, side by side. NaN: no bar.
struct BarChart {
  struct Bars {
    std::string name;
    std::vector<double> values;  // one a group
    int color = 0;
  };
  std::string title, description;
  std::vector<std::string> groups;
  std::vector<std::string> notes;  // a second, quieter line below each group's name; empty: none
  Axis y;                          // linear, from 0
  std::vector<Bars> series;
};

// Points; `diagonal` draws y = x, where two measures of one thing agree. More than 2000 points a series are thinned.
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
