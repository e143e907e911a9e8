#include "stream/reading.h"

#include <gtest/gtest.h>

#include <atomic>

namespace pagoda::stream {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Partitions with events of these times, a thousand at most a poll.
class FakeSource : public Source {
 public:
  explicit FakeSource(std::vector<std::vector<int64_t>> times) : times_(std::move(times)), at_(times_.size()) {
    for (size_t p = 0; p < times_.size(); ++p) names_.push_back(fmt::format("p{}", p));
  }
  void start(const Offsets&) override {}
  void poll(milliseconds wait, std::vector<Message>& messages) override {
    ++polls;
    for (uint32_t p = 0; p < times_.size(); ++p) {
      if (p < held_.size() && held_[p]) continue;
      for (int n = 0; n < 1000 && at_[p] < times_[p].size(); ++n, ++at_[p])
        messages.push_back({p, static_cast<int64_t>(at_[p]), static_cast<int64_t>(at_[p]) + 1,
                            fmt::format(R"({{"user_id": "u", "item_id": "i", "ts": {}}})", times_[p][at_[p]])});
    }
    if (messages.empty()) std::this_thread::sleep_for(wait);
  }
  void hold(const std::vector<bool>& partitions) override { held_ = partitions; }
  int64_t begin(uint32_t) const override { return 0; }
  bool at_end(uint32_t p) const override { return at_[p] == times_[p].size(); }
  int64_t lag() const override { return 0; }
  const std::vector<std::string>& partitions() const override { return names_; }
  std::string place(uint32_t p, int64_t offset) const override { return fmt::format("p{}:{}", p, offset); }
  std::atomic<int> polls = 0;

 private:
  std::vector<std::vector<int64_t>> times_;
  std::vector<size_t> at_;
  std::vector<bool> held_;
  std::vector<std::string> names_;
};

std::vector<int64_t> seconds(int64_t from, int64_t count) {
  std::vector<int64_t> times;
  for (int64_t i = 0; i < count; ++i) times.push_back(1'700'000'000 + from + i);
  return times;
}

// Takes all events as a stream does, until `time` is over.
size_t events_read(FakeSource& source, milliseconds time, bool once) {
  data::InteractionOptions options;
  options.time = "ts";
  options.trust_clock = true;
  options.times.unit = columns::TimeUnit::s;
  Decoder decoder(options, {}, [](const Message&) { return std::string("here"); });
  EventOrder order({}, {});
  Reading reading(source, decoder, order, {.most_waiting = 2000, .idle = milliseconds(300), .once = once, .from = {}});
  const auto end = Clock::now() + time;
  size_t events = 0;
  while (Clock::now() < end) {
    reading.rethrow();
    const bool ended = reading.ended();
    const auto taken = order.take({.batch = 100, .max_rows = 1000, .short_too = ended});
    events += taken.size();
    if (taken.empty() && ended) break;
    if (taken.empty()) order.wait(100, milliseconds(20));
  }
  reading.stop();
  return events;
}

// Those that are at their end are not waited for after a while, both at once, however they are held.
TEST(Reading, TwoQuietPartitionsDoNotHoldUpOneWithMuchToRead) {
  FakeSource source({seconds(0, 1), seconds(10, 1), seconds(100000, 10000)});
  EXPECT_EQ(events_read(source, milliseconds(20000), true), 10002u);
}

TEST(Reading, AQuietPartitionDoesNotSlowDownOneThatIsBehind) {
  FakeSource source({seconds(0, 1), seconds(10, 20000), seconds(100000, 10000)});
  EXPECT_EQ(events_read(source, milliseconds(20000), true), 30001u);
  EXPECT_LT(source.polls, 200);
}

TEST(Reading, PartitionsCloseInTimeAreReadTogether) {
  FakeSource source({seconds(0, 10000), seconds(5, 10000), seconds(3, 10000)});
  EXPECT_EQ(events_read(source, milliseconds(20000), true), 30000u);
}

}  // namespace
}  // namespace pagoda::stream
