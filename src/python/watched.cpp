#include "python/watched.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <variant>

#include "core/log.h"
#include "core/progress.h"

namespace pagoda::python {

namespace nb = nanobind;

namespace {

struct Message {
  int level;
  std::string text;
};
struct Drawn {
  std::string title, unit, note;
  uint64_t done, total;
  bool ended;
};
struct Record {
  std::string json;
};
using Event = std::variant<Message, Drawn, Record>;

// Never destroyed: threads of the process may still write messages while Python ends.
struct Queue {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Event> events;
};

Queue& queue() {
  static auto* only = new Queue;
  return *only;
}

constexpr size_t kMost = 10000;  // of messages that nobody takes

void push(Event event) {
  auto& q = queue();
  {
    const std::lock_guard lock(q.mutex);
    if (q.events.size() < kMost) q.events.push_back(std::move(event));
  }
  q.changed.notify_all();
}

// As in Python's logging.
int level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return 10;
    case LogLevel::info: return 20;
    case LogLevel::warning: return 30;
    case LogLevel::error: return 40;
  }
  return 20;
}

// A text of ours may quote bytes of a file.
nb::object text_of(const std::string& text) {
  return nb::steal(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

void give(const Event& event, const nb::object& on_event) {
  if (const auto* message = std::get_if<Message>(&event))
    on_event("log", message->level, text_of(message->text));
  else if (const auto* drawn = std::get_if<Drawn>(&event))
    on_event("progress", text_of(drawn->title), text_of(drawn->unit), text_of(drawn->note), drawn->done, drawn->total,
             drawn->ended);
  else
    on_event("record", text_of(std::get<Record>(event).json));
}

std::deque<Event> take() {
  const std::lock_guard lock(queue().mutex);
  return std::exchange(queue().events, {});
}

}  // namespace

void take_messages() {
  set_log_receiver(
      [](LogLevel level, std::string_view message) { push(Message{level_of(level), std::string(message)}); });
  Progress::set_receiver([](const ProgressState& state) {
    push(Drawn{std::string(state.title), std::string(state.unit), std::string(state.note), state.done, state.total,
               state.ended});
  });
}

void queue_record(std::string json) { push(Record{std::move(json)}); }

void run_watched(const Work& work, const nb::object& on_event) {
  std::atomic<bool> interrupt = false, ended = false;
  std::exception_ptr error;
  std::thread thread([&] {
    try {
      work(interrupt);
    } catch (...) {
      error = std::current_exception();
    }
    {
      const std::lock_guard lock(queue().mutex);
      ended = true;
    }
    queue().changed.notify_all();
  });
  std::optional<nb::python_error> raised;
  for (bool last = false; !last;) {
    {
      const nb::gil_scoped_release release;
      std::unique_lock lock(queue().mutex);
      queue().changed.wait_for(lock, std::chrono::milliseconds(50), [&] { return ended || !queue().events.empty(); });
      last = ended;
    }
    try {
      for (const auto& event : take())
        if (!raised) give(event, on_event);
      if (!raised && PyErr_CheckSignals() != 0) throw nb::python_error();
    } catch (nb::python_error& e) {
      raised.emplace(std::move(e));
      interrupt = true;
    }
  }
  {
    const nb::gil_scoped_release release;
    thread.join();
  }
  if (raised) throw std::move(*raised);
  if (error) std::rethrow_exception(error);
}

void drain(const nb::object& on_event) {
  for (const auto& event : take()) give(event, on_event);
}

bool anything_queued() {
  const std::lock_guard lock(queue().mutex);
  return !queue().events.empty();
}

}  // namespace pagoda::python
