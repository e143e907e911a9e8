#include "core/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

namespace pagoda {
namespace {

using namespace std::chrono_literals;

TEST(BoundedQueue, ValuesComeOutInTheOrderTheyWentIn) {
  BoundedQueue<int> queue(3);
  std::jthread producer([&] {
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(queue.push(i));
    queue.close();
  });
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(queue.pop(), i);
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, TheProducerIsNeverAheadByMoreThanTheLimit) {
  BoundedQueue<int> queue(2);
  std::atomic<int> pushed = 0, popped = 0, most = 0;
  std::jthread producer([&] {
    for (int i = 0; i < 200; ++i) {
      queue.push(i);
      ++pushed;
      most = std::max<int>(most, pushed - popped);
    }
  });
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(pushed, 2);  // it waits
  for (int i = 0; i < 200; ++i) {
    queue.pop();
    ++popped;
  }
  producer.join();
  EXPECT_LE(most, 3);  // a value may be out of the queue before it is counted here
}

TEST(BoundedQueue, TheConsumerWaitsForAValue) {
  BoundedQueue<int> queue(1);
  std::atomic<bool> got = false;
  std::jthread consumer([&] {
    EXPECT_EQ(queue.pop(), 5);
    got = true;
  });
  std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(got);
  queue.push(5);
}

TEST(BoundedQueue, AfterCloseTheRestIsConsumedAndNothingIsTaken) {
  BoundedQueue<int> queue(4);
  queue.push(1);
  queue.push(2);
  queue.close();
  EXPECT_FALSE(queue.push(3));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, CloseWakesAWaitingProducer) {
  BoundedQueue<int> queue(1);
  queue.push(1);
  std::jthread producer([&] { EXPECT_FALSE(queue.push(2)); });
  std::this_thread::sleep_for(10ms);
  queue.close();
}

TEST(BoundedQueue, TheProducersErrorComesAfterTheValuesBeforeIt) {
  BoundedQueue<int> queue(4);
  queue.push(1);
  queue.close(std::make_exception_ptr(std::runtime_error("clicks.csv:7: bad row")));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_THROW(queue.pop(), std::runtime_error);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, HoldsValuesThatCanOnlyBeMoved) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  queue.push(std::make_unique<int>(3));
  EXPECT_EQ(**queue.pop(), 3);
}

}  // namespace
}  // namespace pagoda
