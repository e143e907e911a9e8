// Opens a bundle with arbitrary bytes in one section and correct checksums, or with an arbitrary table of sections: it
// must be refused with an Error, or open and answer.
//
// The first byte of an input is the number of the section, the rest its bytes; a number beyond the last section selects
// the table.
#include <cstring>

#include "core/section_file.h"
#include "fuzz/entry.h"
#include "fuzz/scratch.h"
#include "retrieval/retrieval.h"

namespace pagoda {
namespace {

constexpr size_t kPage = 4096;

// Writes the valid bundle with one section replaced; the writer computes its checksums.
void write_with(const SectionFile& good, const std::string& path, size_t section, std::string_view bytes) {
  SectionWriter out(path, model::kBundleKind, model::kBundleVersion);
  for (size_t i = 0; i < good.sections().size(); ++i) {
    const auto& name = good.sections()[i].name;
    if (i == section)
      out.section(name, bytes);
    else
      out.section(name, good.bytes(name));
  }
  out.commit();
}

// Writes the valid bundle with its table of sections replaced.
void write_with_table(const std::string& good, const std::string& path, std::string_view table) {
  std::string file = good;
  uint64_t at = 0;
  std::memcpy(&at, file.data() + 40, sizeof at);
  file.resize(at);
  file += table;
  file.resize((file.size() + kPage - 1) / kPage * kPage, '\0');
  const auto put = [&](size_t where, uint64_t value) { std::memcpy(file.data() + where, &value, sizeof value); };
  put(32, file.size());
  put(48, table.size());
  put(56, checksum(std::string_view(file).substr(at)));
  put(kPage - sizeof(uint64_t), checksum(std::string_view(file).substr(0, kPage - sizeof(uint64_t))));
  write_file(path, file);
}

struct World {
  Scratch scratch;
  SectionFile good{scratch.bundle(), model::kBundleKind, model::kBundleVersion};
  std::string bytes = read_file(scratch.bundle());
};

World& world() {
  static World one;
  return one;
}

void ask(ThreadPool& pool, const std::shared_ptr<const model::Bundle>& bundle) {
  const retrieval::Retrieval retrieval(bundle);
  const auto items = bundle->item_ids().size();
  if (items > 0) {
    const std::vector<uint32_t> rows{0, items - 1};
    retrieval.similar(pool, rows, 3);
  }
  const auto all = bundle->item_attributes().names();
  for (const auto& column : all) try {
      retrieval::RetrieveOptions options{.k = 3, .filter = "`" + column + "` != 'x'"};
      retrieval.retrieve(pool, {retrieval::parse_request("ann", "")}, options);
      options = {.k = 3, .quota = retrieval::QuotaOptions{column, 1}};
      retrieval.retrieve(pool, {retrieval::parse_request(R"({"history": ["i1"], "context": {"device": "tv"}})", "")},
                         options);
    } catch (const Error&) {  // such as a quota over lists
    }
  try {
    retrieval.retrieve(pool, retrieval::some_users(*bundle), {.k = 20});
  } catch (const Error&) {}
}

}  // namespace

void try_input(std::string_view input) {
  if (input.empty()) return;
  auto& [scratch, good, bytes] = world();
  const auto path = scratch.path("bad.pagoda");
  const size_t section = static_cast<uint8_t>(input[0]);
  if (section < good.sections().size())
    write_with(good, path, section, input.substr(1));
  else
    write_with_table(bytes, path, input.substr(1));
  try {
    ask(scratch.pool, model::Bundle::open(path));
  } catch (const Error&) {}
}

std::vector<std::string> seeds() {
  auto& [scratch, good, bytes] = world();
  std::vector<std::string> all;
  for (size_t i = 0; i < good.sections().size(); ++i)
    all.push_back(static_cast<char>(i) + std::string(good.text(good.sections()[i].name)));
  uint64_t at = 0, size = 0;
  std::memcpy(&at, bytes.data() + 40, sizeof at);
  std::memcpy(&size, bytes.data() + 48, sizeof size);
  all.push_back('\xff' + bytes.substr(at, size));
  return all;
}

}  // namespace pagoda
