// The metrics of a server, for Prometheus.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pagoda::server {

enum class Stage { queue, filter, encode, search };

// Thread-safe.
class ServeMetrics {
 public:
  ServeMetrics();
  ~ServeMetrics();

  // Seconds from the whole request to its response. `call` must be a static string.
  void answered(std::string_view call, int status, double seconds);
  // Counts a refused call without its time, which would distort the times of answers.
  void refused(std::string_view call, int status);
  void stage(Stage stage, double seconds);
  void batch(size_t searches);  // searches answered together
  void queue_length(size_t waiting);
  void list(size_t items, size_t k);  // an answer of `items` items to a request for k
  void unknown_user();
  void reload(bool taken);
  void connections(int change);
  void added_items(size_t items, size_t fresh);  // added items; `fresh`: those not merged yet

  void live_events(size_t events, size_t users, uint64_t users_let_go);  // that are held
  void took_events(size_t new_ones, size_t repeated);

  std::string text() const;  // in Prometheus' text format

 private:
  struct Series;
  std::unique_ptr<Series> series_;
};

}  // namespace pagoda::server
