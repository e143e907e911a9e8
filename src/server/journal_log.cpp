#include <chrono>
#include <future>
#include <optional>

#include "core/log.h"
#include "retrieval/event_journal.h"
#include "server/event_log.h"

namespace pagoda::server {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kRetryCompaction{60};  // after a compaction that failed

class JournalLog final : public EventLog {
 public:
  JournalLog(std::string path, const retrieval::LiveEventsOptions& options, const ForegroundLoad* foreground)
      : options_(options), foreground_(foreground), journal_(std::move(path), options), held_(options) {
    journal_.read(held_);
  }

  // Another process wrote the journal since it was read, and has ended.
  void refresh() override {
    if (!journal_.acquire()) return;
    retrieval::LiveEvents all(options_);
    journal_.read(all);
    held_.swap(all);
  }

  void take(std::vector<retrieval::LiveEvent> events) override {
    journal_.append(events);
    for (auto& event : events) held_.add(std::move(event));
  }

  bool maintain() override {
    try {
      if (written_.valid()) {
        if (written_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return true;
        written_.get();
        journal_.replace(*compaction_);
        compaction_.reset();
      }
      if (journal_.needs_compaction(held_.counts().events) && SteadyClock::now() >= next_) begin();
    } catch (const std::exception& e) {
      log_warning("the journal of events cannot be compacted: {}", e.what());
      compaction_.reset();  // with its file
      next_ = SteadyClock::now() + kRetryCompaction;
    }
    return written_.valid();
  }

  const retrieval::LiveEvents& held() const override { return held_; }

 private:
  void begin() {
    compaction_ = journal_.start_compaction();
    if (!compaction_) return;
    written_ = std::async(std::launch::async, [this] {
      std::optional<BackgroundThrottle> throttle;
      if (foreground_) throttle.emplace(*foreground_);
      compaction_->write(throttle ? &*throttle : nullptr);
    });
  }

  retrieval::LiveEventsOptions options_;
  const ForegroundLoad* foreground_;
  retrieval::EventJournal journal_;
  retrieval::LiveEvents held_;
  std::unique_ptr<retrieval::EventJournal::Compaction> compaction_;
  std::future<void> written_;  // not valid: no compaction is under way. Its destructor waits
  SteadyClock::time_point next_{};
};

}  // namespace

std::unique_ptr<EventLog> make_journal_log(std::string path, const retrieval::LiveEventsOptions& options,
                                           const ForegroundLoad* foreground) {
  return std::make_unique<JournalLog>(std::move(path), options, foreground);
}

}  // namespace pagoda::server
