#include "core/log_writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace pagoda {
namespace {

using namespace std::chrono_literals;

// A pipe whose reader reads when the test says so.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_.data()), 0); }
  ~Pipe() {
    ::close(ends_[0]);
    close_writing();
  }
  int writing() const { return ends_[1]; }
  void close_writing() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  // Up to the end, or to what `enough` waits for.
  std::string read(const std::string& enough = "") {
    std::string text;
    std::array<char, 4096> part;
    while (enough.empty() || text.find(enough) == text.npos) {
      const auto n = ::read(ends_[0], part.data(), part.size());
      if (n <= 0) break;
      text.append(part.data(), static_cast<size_t>(n));
    }
    return text;
  }

 private:
  std::array<int, 2> ends_{};
};

std::string gap(uint64_t lines) { return "gap " + std::to_string(lines) + "\n"; }

TEST(LogWriter, WritesWhatItWasGivenInOrder) {
  Pipe pipe;
  std::string expected;
  {
    LogWriter writer(pipe.writing(), gap, {});
    for (int i = 0; i < 1000; ++i) {
      const auto line = "line " + std::to_string(i) + "\n";
      writer.write(line);
      expected += line;
    }
  }
  pipe.close_writing();
  EXPECT_EQ(pipe.read(), expected);
}

TEST(LogWriter, AReaderThatIsStuckKeepsNobodyWaitingAndTheGapIsToldInItsPlace) {
  Pipe pipe;
  std::optional<LogWriter> writer(std::in_place, pipe.writing(), gap, LogWriter::Limits{.waiting_bytes = 10000});
  const std::string line(99, 'x');
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 20000; ++i) writer->write(line + "\n");  // 2 MB into a pipe of 64 kB that nobody reads
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  std::string text;
  std::thread reader([&] { text = pipe.read(); });
  writer.reset();
  pipe.close_writing();
  reader.join();
  // Where the writing thread came late there are several gaps.
  uint64_t written = 0, dropped = 0;
  std::istringstream lines(text);
  for (std::string one; std::getline(lines, one);) {
    if (one.starts_with("gap ")) {
      EXPECT_GT(written, 0u) << "what waited comes before the gap";
      dropped += std::stoull(one.substr(4));
    } else {
      ASSERT_EQ(one, line) << "no line is cut";
      ++written;
    }
  }
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(written + dropped, 20000u) << "every line is written or counted";
}

TEST(LogWriter, ALineThatIsLargerThanAllIsDroppedAloneAndTold) {
  Pipe pipe;
  {
    LogWriter writer(pipe.writing(), gap, {.waiting_bytes = 100});
    writer.write(std::string(200, 'x') + "\n");
    EXPECT_EQ(pipe.read("\n"), "gap 1\n");
    writer.write("after\n");
  }
  pipe.close_writing();
  EXPECT_EQ(pipe.read(), "after\n");
}

TEST(LogWriter, EndsThoughNobodyReads) {
  Pipe pipe;
  const auto began = std::chrono::steady_clock::now();
  {
    LogWriter writer(pipe.writing(), gap, {.last_words = 100ms});
    for (int i = 0; i < 5000; ++i) writer.write(std::string(99, 'x') + "\n");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

TEST(LogWriter, EndsThoughTheReaderHasGone) {
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe(ends.data()), 0);
  ::close(ends[0]);
  std::signal(SIGPIPE, SIG_IGN);
  {
    LogWriter writer(ends[1], gap, {});
    for (int i = 0; i < 100; ++i) writer.write("x\n");
  }
  ::close(ends[1]);
}

}  // namespace
}  // namespace pagoda
