#include "index/partitions.h"

#include <algorithm>
#include <cmath>

#include "index/code_kernels.h"
#include "index/index.h"

namespace pagoda::index {
namespace {

constexpr uint32_t kVersion = 2;  // version 1 had another stop rule

template <class T>
std::span<const T> mapped(const SectionFile& file, std::string_view name, size_t n) {
  const auto bytes = file.bytes(name);
  if (bytes.size() != n * sizeof(T))
    fail(ErrorKind::failed, "{}: section '{}' has {} bytes, expected {}; rebuild it: pagoda index {}", file.path(),
         name, bytes.size(), n * sizeof(T), file.path());
  return {reinterpret_cast<const T*>(bytes.data()), n};
}

template <class T>
void write_array(SectionWriter& out, std::string_view name, std::span<const T> values) {
  out.section(name, std::as_bytes(values));
}

bool is_length(float x) { return std::isfinite(x) && x >= 0; }

}  // namespace

void Partitions::find_first_blocks() {
  first_block.assign(1, 0);
  for (const uint32_t n : counts) first_block.push_back(first_block.back() + blocks_of(n));
}

void Partitions::find_inverse_stddevs() {
  inverse_stddev.clear();
  largest_stddev = 0;
  for (const float s : stddevs) {
    inverse_stddev.push_back(1 / std::max(s, 1e-20f));
    largest_stddev = std::max(largest_stddev, s);
  }
}

void save_partitions(SectionWriter& out, const Partitions& p) {
  ByteWriter parameters;
  parameters.value(kVersion);
  parameters.value(p.items);
  parameters.value(p.dim);
  parameters.value(p.lists);
  parameters.value(p.seed);
  parameters.value(p.recall);
  parameters.value(p.k);
  parameters.value(p.centroid_scale);
  parameters.value(p.largest_error);
  parameters.value(p.usual_error);
  parameters.value(p.largest_length);
  parameters.value(p.usual_length);
  p.curve.save(parameters);
  out.section("index/parameters", parameters.bytes());
  write_array(out, "index/rotation", p.rotation);
  write_array(out, "index/centres", p.centroids);
  out.begin("index/lists");
  out.append(std::as_bytes(p.scales));
  out.append(std::as_bytes(p.stddevs));
  out.append(std::as_bytes(p.counts));
  out.end();
  write_array(out, "index/codes", p.codes);
  write_array(out, "index/rows", p.rows);
}

Partitions load_partitions(const SectionFile& file, size_t items, size_t dim) {
  ByteReader in(file.bytes("index/parameters"), file.path() + ": section 'index/parameters'");
  if (const auto version = in.value<uint32_t>(); version != kVersion)
    fail(ErrorKind::failed,
         "{}: a partitioned index of version {}, but this program reads version {}; rebuild it: "
         "pagoda index {} --kind partitioned",
         file.path(), version, kVersion, file.path());
  Partitions p;
  p.items = in.value<uint64_t>();
  p.dim = in.value<uint64_t>();
  p.lists = in.value<uint64_t>();
  p.seed = in.value<uint64_t>();
  p.recall = in.value<double>();
  p.k = in.value<uint64_t>();
  p.centroid_scale = in.value<float>();
  p.largest_error = in.value<float>();
  p.usual_error = in.value<float>();
  p.largest_length = in.value<float>();
  p.usual_length = in.value<float>();
  if (p.items != items || p.dim != dim) in.damaged("it does not belong to the vectors of this bundle");
  if (p.lists < 1 || p.lists > std::max<size_t>(1, items)) in.damaged("it has more lists than items");
  if (!(p.recall > 0 && p.recall <= 1) || !is_length(p.centroid_scale) || !is_length(p.largest_error) ||
      !is_length(p.usual_error) || !is_length(p.largest_length) || !is_length(p.usual_length))
    in.damaged("it holds a number out of range");
  p.curve = RecallCurve::load(in);
  if (!in.at_end()) in.damaged("there are bytes after its end");

  const size_t groups = code_groups(dim);
  p.rotation = mapped<float>(file, "index/rotation", dim * dim);
  p.centroids = mapped<uint8_t>(file, "index/centres", blocks_of(p.lists) * block_bytes(groups));
  const auto lists = mapped<float>(file, "index/lists", 3 * p.lists);
  p.scales = lists.first(p.lists);
  p.stddevs = lists.subspan(p.lists, p.lists);
  p.counts = {reinterpret_cast<const uint32_t*>(lists.data() + 2 * p.lists), p.lists};
  const auto refuse = [&](const char* section, const char* how) {
    fail(ErrorKind::failed, "{}: section '{}': {}; rebuild it: pagoda index {} --kind partitioned", file.path(),
         section, how, file.path());
  };
  for (const float r : p.rotation)
    if (!std::isfinite(r)) refuse("index/rotation", "holds a value that is not finite");
  size_t total = 0;
  for (size_t l = 0; l < p.lists; ++l) {
    total += p.counts[l];
    if (!is_length(p.scales[l]) || !is_length(p.stddevs[l])) refuse("index/lists", "holds a number out of range");
  }
  if (total != items) refuse("index/lists", "its lists do not hold each item once");
  p.find_first_blocks();
  p.find_inverse_stddevs();
  const size_t blocks = p.first_block.back();
  if (blocks * kBlockRows > UINT32_MAX) refuse("index/lists", "it has more positions than fit in 32 bits");
  p.codes = mapped<uint8_t>(file, "index/codes", blocks * block_bytes(groups));
  p.rows = mapped<uint32_t>(file, "index/rows", blocks * kBlockRows);
  math::ItemSet met(items);
  for (size_t l = 0; l < p.lists; ++l)
    for (size_t b = p.first_block[l]; b < p.first_block[l + 1]; ++b)
      for (size_t lane = 0; lane < kBlockRows; ++lane) {
        const uint32_t row = p.rows[b * kBlockRows + lane];
        if (row >= items) refuse("index/rows", "points past the items");
        if ((b - p.first_block[l]) * kBlockRows + lane < p.counts[l]) met.add(row);
      }
  if (met.count() != items) refuse("index/rows", "its lists do not hold each item once");
  return p;
}

}  // namespace pagoda::index
