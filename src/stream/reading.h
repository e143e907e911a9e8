// The thread that reads a stream: polls the source, decodes, and puts events in order.
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "stream/dead_letters.h"
#include "stream/decoder.h"
#include "stream/event_order.h"
#include "stream/source.h"

namespace pagoda::stream {

struct ReadingOptions {
  size_t most_waiting = 1;              // events; while more wait, it reads no further than the watermark needs
  std::chrono::milliseconds idle{0};    // a partition at its end for so long is not waited for
  bool once = false;                    // ends where the source ends now
  Positions from;                       // where it goes on
  DeadLetters* dead_letters = nullptr;  // what cannot be learnt goes there; nullptr: nowhere
};

class Reading {
 public:
  // Starts the source; then its thread reads. All of them outlive it, and are used by that thread alone, but for `order`.
  Reading(Source& source, Decoder& decoder, EventOrder& order, ReadingOptions options);
  ~Reading() { stop(); }

  bool ended() const { return ended_; }  // once: all was read
  void rethrow() const;                  // what stopped the thread, if anything did
  void stop();
  // Tells the source, on its thread, what was learnt.
  void committed(const Positions& positions);
  int64_t lag() const { return lag_; }  // Source::lag()

 private:
  void run();
  void read(std::vector<Message>& messages);
  void rest();
  bool keep_bad(const std::vector<Message>& messages, const std::vector<DecodedMessage>& decoded);
  void meet_partitions();
  void choose_held(bool full);
  void note_idle();

  Source& source_;
  Decoder& decoder_;
  EventOrder& order_;
  ReadingOptions options_;
  std::atomic<bool> stop_ = false, ended_ = false;
  std::atomic<int64_t> lag_ = 0;
  mutable std::mutex mutex_;
  std::exception_ptr error_;
  std::optional<Offsets> commit_;
  std::vector<std::chrono::steady_clock::time_point> busy_;  // per partition: when it last had a message
  std::vector<bool> idle_;                                   // per partition, as `order` knows it
  std::vector<bool> held_;                                   // per partition; empty: none
  std::chrono::steady_clock::time_point held_since_;
  std::thread thread_;
};

}  // namespace pagoda::stream
