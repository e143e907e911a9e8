#include "model/inference.h"

#include <algorithm>
#include <numeric>

#include "model/unknown_user.h"

namespace pagoda::model {

namespace {

constexpr size_t kBlock = 64;

// Calls encode(begin, end, batch) and forward(batch, pass) for each block of kBlock rows; pads a short last block, so
// that the layers always multiply matrices of the same shape.
template <class Encode, class Forward>
math::Matrix<float> in_blocks(ThreadPool& pool, size_t n, size_t dim, const Encode& encode, const Forward& forward) {
  math::Matrix<float> out(n, dim);
  pool.for_chunks(n, kBlock, [&](size_t begin, size_t end) {
    features::EncodedBatch batch;
    Tower<float>::Pass pass;
    pass.transformer.for_backward = false;
    encode(begin, end, batch);
    yield_to_foreground(pool.throttle());
    forward(batch, pass);
    for (size_t i = begin; i < end; ++i) std::copy_n(pass.output[i - begin], dim, out[i]);
  });
  return out;
}

}  // namespace

math::Matrix<float> user_vectors(ThreadPool& pool, const Model& model, const features::EncodedUsers& cells,
                                 std::span<const features::UserExample> examples) {
  auto vectors = in_blocks(
      pool, examples.size(), model.towers.dim(),
      [&](size_t begin, size_t end, features::EncodedBatch& batch) {
        std::vector<features::UserExample> block(examples.begin() + static_cast<ptrdiff_t>(begin),
                                                 examples.begin() + static_cast<ptrdiff_t>(end));
        block.resize(kBlock);
        model.user_encoder.encode(cells, block, batch);
      },
      [&](const features::EncodedBatch& batch, Tower<float>::Pass& pass) {
        model.towers.forward_users(pool, batch, {}, pass);
      });
  if (model.unknown_user.empty()) return vectors;
  for (size_t i = 0; i < examples.size(); ++i) {
    const auto row = vectors.row(i);
    const bool nowhere = std::ranges::all_of(row, [](float component) { return component == 0; });
    if (nowhere || nothing_known(examples[i])) std::ranges::copy(model.unknown_user, row.begin());
  }
  return vectors;
}

math::Matrix<float> item_vectors(ThreadPool& pool, const Model& model, const features::EncodedItems& cells,
                                 int64_t moment_us) {
  return in_blocks(
      pool, cells.size(), model.towers.dim(),
      [&](size_t begin, size_t end, features::EncodedBatch& batch) {
        std::vector<uint32_t> rows(kBlock, static_cast<uint32_t>(begin));
        std::iota(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(end - begin), static_cast<uint32_t>(begin));
        model.item_encoder.encode(cells, rows, {&moment_us, 1}, batch);
      },
      [&](const features::EncodedBatch& batch, Tower<float>::Pass& pass) {
        model.towers.forward_items(pool, batch, {}, pass);
      });
}

}  // namespace pagoda::model
