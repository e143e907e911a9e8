// What a server tells of itself, for Prometheus.
#pragma once

#include <cstddef>
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

  // From the whole request to its answer. The call's name is kept as it is: it lives for ever.
  void answered(std::string_view call, int status, double seconds);
  // Counted alone: no time was spent that would say anything of answers.
  void refused(std::string_view call, int status);
  void stage(Stage stage, double seconds);
  void batch(size_t searches);  // answered together
  void queue_length(size_t waiting);
  void list(size_t items, size_t k);  // an answer of so many items when k were asked for
  void unknown_user();
  void reload(bool taken);
  void connections(int change);
  void added_items(size_t items, size_t fresh);  // laid over the bundle; of them, not merged yet

  std::string text() const;  // in Prometheus' text format

 private:
  struct Series;
  std::unique_ptr<Series> series_;
};

}  // namespace pagoda::server
