#include "loss/accidental_hits.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "core/error.h"

namespace pagoda::loss {

namespace {

constexpr size_t kGroupsOfTask = 32;

// Where each of the keys stands: an open-addressed table, since a history is looked up key by key, mostly in vain.
class Positions {
 public:
  explicit Positions(std::span<const uint32_t> keys)
      : shift_(64 - std::bit_width(2 * keys.size() + 1)), slots_(size_t{1} << (64 - shift_)) {
    std::vector<uint32_t> list_of(keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      Slot& slot = slots_[find(keys[i])];
      if (slot.list == kEmpty) {
        slot = {keys[i], static_cast<uint32_t>(lists_.size())};
        lists_.close();
      }
      list_of[i] = slot.list;
      ++lists_.offsets[slot.list + 1];
    }
    for (size_t l = 0; l < lists_.size(); ++l) lists_.offsets[l + 1] += lists_.offsets[l];
    lists_.values.resize(keys.size());
    std::vector<uint64_t> next(lists_.offsets.begin(), lists_.offsets.end() - 1);
    for (size_t i = 0; i < keys.size(); ++i) lists_.values[next[list_of[i]]++] = static_cast<uint32_t>(i);
  }

  // Rising; empty if it stands nowhere.
  std::span<const uint32_t> of(uint32_t key) const {
    const uint32_t list = slots_[find(key)].list;
    return list == kEmpty ? std::span<const uint32_t>() : lists_[list];
  }
  const math::Ragged<uint32_t>& lists() const { return lists_; }  // by each key's first position

 private:
  static constexpr uint32_t kEmpty = UINT32_MAX;
  struct Slot {
    uint32_t key = 0, list = kEmpty;
  };

  size_t find(uint32_t key) const {  // its slot, or the empty one where it belongs
    size_t at = (key * 0x9E3779B97F4A7C15u) >> shift_;
    while (slots_[at].list != kEmpty && slots_[at].key != key) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  int shift_;
  std::vector<Slot> slots_;
  math::Ragged<uint32_t> lists_;
};

// One user's rows are a group; a row of an unknown user is a group of its own.
math::Ragged<uint32_t> groups_of(std::span<const uint32_t> users) {
  math::Ragged<uint32_t> groups;
  const Positions rows(users);
  for (size_t g = 0; g < rows.lists().size(); ++g) {
    const auto list = rows.lists()[g];
    if (users[list[0]] != kNoUser)
      groups.push(list);
    else
      for (const uint32_t row : list) groups.push({&row, 1});
  }
  return groups;
}

using Bits = std::vector<uint64_t>;  // a bit a column

void set_all(std::span<const uint32_t> columns, Bits& bits) {
  for (const uint32_t j : columns) bits[j / 64] |= uint64_t{1} << (j % 64);
}

void append_set(const Bits& bits, std::vector<uint32_t>& to) {
  for (size_t w = 0; w < bits.size(); ++w)
    for (uint64_t word = bits[w]; word != 0; word &= word - 1)
      to.push_back(static_cast<uint32_t>(64 * w + static_cast<size_t>(std::countr_zero(word))));
}

}  // namespace

math::Ragged<uint32_t> accidental_hits(ThreadPool& pool, std::span<const uint32_t> users,
                                       const math::Ragged<uint32_t>& positives, std::span<const uint32_t> items,
                                       const math::Ragged<uint32_t>* known) {
  const size_t batch = users.size();
  check(positives.size() == batch, "every row has a user and a list of positives");
  check(!known || known->size() == batch, "every row has a list of known items");
  for (const uint32_t column : positives.values) check(column < items.size(), "a positive is one of the columns");

  const Positions columns(items);
  const auto groups = groups_of(users);
  const size_t tasks = (groups.size() + kGroupsOfTask - 1) / kGroupsOfTask;
  std::vector<math::Ragged<uint32_t>> found(tasks);  // of a task's rows, group by group
  pool.run(tasks, [&](size_t task) {
    Bits of_group, of_row;
    for (size_t g = task * kGroupsOfTask; g < std::min(groups.size(), (task + 1) * kGroupsOfTask); ++g) {
      of_group.assign((items.size() + 63) / 64, 0);
      for (const uint32_t row : groups[g])
        for (const uint32_t column : positives[row]) set_all(columns.of(items[column]), of_group);
      for (const uint32_t row : groups[g]) {
        of_row = of_group;
        if (known)
          for (const uint32_t item : (*known)[row]) set_all(columns.of(item), of_row);
        for (const uint32_t column : positives[row]) of_row[column / 64] &= ~(uint64_t{1} << (column % 64));
        append_set(of_row, found[task].values);
        found[task].close();
      }
    }
  });

  // Into the order of the rows. A task's rows follow one another in `groups`.
  const auto first_row = [&](size_t task) { return groups.offsets[std::min(groups.size(), task * kGroupsOfTask)]; };
  math::Ragged<uint32_t> masked;
  masked.offsets.resize(batch + 1);
  for (size_t task = 0; task < tasks; ++task)
    for (size_t k = 0; k < found[task].size(); ++k)
      masked.offsets[groups.values[first_row(task) + k] + 1] = found[task][k].size();
  for (size_t row = 0; row < batch; ++row) masked.offsets[row + 1] += masked.offsets[row];
  masked.values.resize(masked.offsets.back());
  pool.run(tasks, [&](size_t task) {
    for (size_t k = 0; k < found[task].size(); ++k)
      std::ranges::copy(found[task][k], masked[groups.values[first_row(task) + k]].begin());
  });
  return masked;
}

}  // namespace pagoda::loss
