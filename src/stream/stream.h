// A model that learns for ever: `pagoda stream`.
//
//   reader thread      source -> decoder -> order (EventOrder)
//   calling thread     order -> judge -> learn a segment -> checkpoint -> ...
//   publisher's thread index and rename a model that a checkpoint holds
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "stream/dead_letters.h"
#include "stream/source.h"
#include "train/whole_config.h"

namespace pagoda::stream {

// The options of a training that learns a stream: rows = "interaction", order = "time", one pass, nothing held out.
// What the config says otherwise is changed, and said. Error{usage}: what a stream cannot do.
dataset::Options as_stream(dataset::Options options);

// The topic of the section, or without one its files. nice: of its own threads.
// Error{usage}: as of KafkaSource.
std::unique_ptr<Source> make_source(const train::StreamOptions& options, int nice = 0);

struct StreamFlags {
  std::string from;  // a bundle to begin with; "": random weights. Of no account where OUTPUT.stream has a checkpoint
  std::unique_ptr<DeadLetters> dead_letters = {};  // nullptr: data.on_bad_row says what becomes of bad messages
  bool once = false;                               // learn what is there, publish it and end
};

// config.stream is validated. Learns from `source` until it is interrupted, or, once, to the end of what is there; publishes to `output`. Goes on
// from the checkpoint in OUTPUT.stream, if there is one, to the bits of a run that was never stopped. Error{failed},
// {input}: source, disk, or too many bad messages; nothing that the last checkpoint has learnt is lost.
void run_stream(const train::WholeConfig& config, const std::string& output, StreamFlags flags, Source& source,
                const std::atomic<bool>& interrupted);

}  // namespace pagoda::stream
