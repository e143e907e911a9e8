// Work in the background that makes room for work that somebody waits for.
//
// Priorities alone do not: the system may let a thread that has waited run for a whole tick, some milliseconds, whatever its
// priority, and a search that uses all CPUs ends when the last of its threads does.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pagoda {

// So many more are waited for, or fewer; of the whole process, whose threads share the CPUs. Thread-safe.
void count_waited_for(int64_t more);

// While it lives its thread gives way: rest() returns when nothing is waited for. Work is never starved: it rests for three
// times as long as it has had a CPU, and kCredit, at most.
class GivesWay {
 public:
  static constexpr std::chrono::milliseconds kCredit{5};

  GivesWay();
  ~GivesWay();
  GivesWay(const GivesWay&) = delete;
  GivesWay& operator=(const GivesWay&) = delete;

 private:
  friend void rest();
  void rest_while_waited_for();

  std::chrono::nanoseconds began_, rested_{0};
};

// To be called between pieces of work that take far less than a millisecond, with no lock held; ThreadPool::run does between tasks
// that it runs serially. Does nothing on a thread that does not give way, and next to nothing while nothing is waited for.
void rest();

// The same, in a loop over rows, each of which takes a microsecond or less.
inline void rest_at(size_t row) {
  if (row % 64 == 0) rest();
}

}  // namespace pagoda
