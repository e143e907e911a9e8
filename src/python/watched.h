// Long work for Python: it runs on a thread of its own, while the calling thread answers Ctrl-C and passes messages on.
#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <functional>
#include <string>

namespace pagoda::python {

// Takes messages and progress of the whole process from now on, in place of stderr. Called once, by the module.
void take_messages();

// Queues a record of a run log for the next run_watched() that looks; from any thread.
void queue_record(std::string json);

// Runs `work`, with the GIL released. Meanwhile on_event(kind, *values) is called on this thread for
//   ("log", level, message)   ("progress", title, unit, note, done, total, ended)   ("record", json)
// Ctrl-C, or an exception of on_event, sets the flag that `work` looks at; once it has ended, the exception goes on.
// The GIL is held by the caller. Exceptions of `work` are thrown here.
using Work = std::function<void(const std::atomic<bool>& interrupt)>;
void run_watched(const Work& work, const nanobind::object& on_event);

// Gives what is queued to on_event: of calls that are too short to be watched.
void drain(const nanobind::object& on_event);
bool anything_queued();

}  // namespace pagoda::python
