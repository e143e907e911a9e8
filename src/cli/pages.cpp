#include "cli/pages.h"

#include <fmt/ranges.h>
#include <pagoda/version.h>

#include <filesystem>

#include "cli/command_tree.h"
#include "core/file.h"

namespace pagoda::cli {

namespace {

// Escapes text for man(7): no line is taken for a request, and hyphens can be searched for.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool first = out.empty() || out.back() == '\n';
    if (first && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '\'')
      out += "\\(aq";
    else if (c == '`')
      out += "\\(ga";
    else
      out += c;
  }
  return out;
}

std::string page_name(const std::vector<std::string>& path) {
  return fmt::format("pagoda{}{}", path.empty() ? "" : "-", fmt::join(path, "-"));
}

void add_option(std::string& text, const CLI::Option& option) {
  text += ".TP\n";
  if (option.get_positional()) {
    text += fmt::format("\\fI{}\\fR", roff(option.get_name(true)));
  } else {
    std::string separator;
    for (const auto& name : names_of(option)) {
      text += fmt::format("{}\\fB{}\\fR", separator, roff(name));
      separator = ", ";
    }
  }
  if (takes_value(option) && !option.get_positional()) text += fmt::format(" \\fI{}\\fR", roff(option.get_type_name()));
  text += '\n';
  text += roff(option.get_description());
  if (const auto value = option.get_default_str(); !value.empty()) text += fmt::format(" [{}]", roff(value));
  if (option.get_required()) text += " (required)";
  for (const auto* other : option.get_needs()) text += fmt::format(" (with {})", roff(other->get_name()));
  text += '\n';
}

}  // namespace

std::string manual_page(const CLI::App& app, const std::string& name) {
  std::string command = name, upper = name;
  std::ranges::replace(command, '-', ' ');
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto below = commands_of(app);
  const auto places = positionals_of(app);
  std::string text = fmt::format(".TH {} 1 \"\" \"pagoda {}\" \"Pagoda\"\n.SH NAME\n{} \\- {}\n", roff(upper),
                                 version(), roff(name), roff(app.get_description()));
  text += fmt::format(".SH SYNOPSIS\n\\fB{}\\fR [\\fIoptions\\fR]", roff(command));
  for (const auto* place : places) {
    const bool many = place->get_items_expected_max() > 1;
    text += fmt::format(" {}\\fI{}\\fR{}{}", place->get_required() ? "" : "[", roff(place->get_name(true)),
                        many ? "..." : "", place->get_required() ? "" : "]");
  }
  text += below.empty() ? "\n" : " \\fIcommand\\fR\n";
  if (!below.empty()) {
    text += ".SH COMMANDS\n";
    for (const auto* sub : below)
      text += fmt::format(".TP\n\\fB{}\\fR\n{}; see\n.BR {}\\-{} (1)\n", roff(sub->get_name()),
                          roff(sub->get_description()), roff(name), roff(sub->get_name()));
  }
  if (!places.empty()) text += ".SH ARGUMENTS\n";
  for (const auto* place : places) add_option(text, *place);
  text += ".SH OPTIONS\n";
  for (const auto* option : flags_of(app)) add_option(text, *option);
  auto footer = app.get_footer();
  if (const auto at = footer.find("Examples:\n"); at != std::string::npos)
    text += fmt::format(".SH EXAMPLES\n.nf\n{}.fi\n", roff(footer.substr(at + 10)));
  text +=
      ".SH EXIT STATUS\n0: done. 1: the operation failed. 2: a wrong command line or config. 3: wrong data. 130: "
      "interrupted.\n";
  if (name != "pagoda") text += ".SH SEE ALSO\n.BR pagoda (1)\n";
  return text;
}

void write_pages(const CLI::App& app, const std::string& folder) {
  std::filesystem::create_directories(folder + "/man1");
  write_file(folder + "/pagoda.bash", completion(app, "bash"));
  write_file(folder + "/_pagoda", completion(app, "zsh"));
  write_file(folder + "/pagoda.fish", completion(app, "fish"));
  for (const auto& node : command_tree(app)) {
    const auto name = page_name(node.path);
    write_file(fmt::format("{}/man1/{}.1", folder, name), manual_page(*node.app, name));
  }
}

}  // namespace pagoda::cli
