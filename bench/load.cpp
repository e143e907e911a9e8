// An open-loop load on a server: requests leave at moments that were planned before, whether or not earlier ones have been
// answered, as those of many users do. A latency counts from the planned moment, so time that a request waits for a connection
// is the server's.
//
//   bench_load PORT RATE SECONDS CONNECTIONS GOOD_MS BODIES [PATH]
//
// Gaps between arrivals are exponential, from a fixed seed. BODIES has a body a line, sent in turns to PATH (/v1/retrieve).
// Connections are kept and made when they are needed, CONNECTIONS at most; where all are busy a request waits. An answer of 200
// within GOOD_MS is a good one. SECONDS ends early at SIGINT or SIGTERM. One line of JSON out; the generator's own lag stands beside, since a generator that is late
// itself has measured something else.
#include <utility>  // before asio, which forgets it

#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <sys/resource.h>
#include <vector>

#include "bench/timing.h"

namespace pagoda {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr double kPatience = 10;  // seconds after the last arrival; what is not answered then never was

// q of 1: the largest. Sorts.
double quantile(std::vector<double>& v, double q) {
  if (v.empty()) return 0;
  std::ranges::sort(v);
  return v[std::min(v.size() - 1, static_cast<size_t>(q * static_cast<double>(v.size())))];
}

struct Request {
  double planned;  // on the clock of seconds()
  const std::string* text;
};

class Load {
 public:
  Load(uint16_t port, double rate, double seconds, size_t connections, double good, std::vector<std::string> texts)
      : endpoint_(asio::ip::address_v4::loopback(), port), rate_(rate), length_(seconds), most_(connections),
        good_(good), texts_(std::move(texts)) {}

  void run() {
    signals_.async_wait([this](ErrorCode error, int) {
      if (!error) end_ = std::min(end_, seconds());
    });
    begin_ = next_ = seconds();
    end_ = begin_ + length_;
    arrive();
    io_.run();
  }

  void print() {
    std::string statuses;
    size_t answered = 0, good = 0;
    for (auto& [status, took] : took_) {
      if (status == 200)
        good = static_cast<size_t>(std::ranges::count_if(took, [this](double t) { return t <= good_; }));
      answered += took.size();
      char line[300];
      std::snprintf(
          line, sizeof line,
          "%s\"%u\": {\"count\": %zu, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, \"most_ms\": %.3f}",
          statuses.empty() ? "" : ", ", status, took.size(), 1e3 * quantile(took, 0.5), 1e3 * quantile(took, 0.99),
          1e3 * quantile(took, 0.999), 1e3 * quantile(took, 1));
      statuses += line;
    }
    std::printf(
        "{\"rate\": %.1f, \"seconds\": %.3f, \"planned\": %zu, \"good\": %zu, \"lost\": %zu, \"connections\": %zu, "
        "\"lag_p999_ms\": %.3f, \"lag_most_ms\": %.3f, \"statuses\": {%s}}\n",
        rate_, end_ - begin_, planned_, good, planned_ - answered, made_, 1e3 * quantile(lags_, 0.999),
        1e3 * quantile(lags_, 1), statuses.c_str());
  }

 private:
  struct Connection {
    explicit Connection(asio::io_context& io) : socket(io) {}
    tcp::socket socket;
    boost::beast::flat_buffer buffer;
    std::optional<http::response_parser<http::string_body>> parser;
    bool used = false;  // has brought an answer
  };
  using Held = std::shared_ptr<Connection>;

  void arrive() {
    timer_.expires_at(std::chrono::steady_clock::time_point(
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(next_))));
    timer_.async_wait([this](ErrorCode) {
      const double now = seconds();
      for (; next_ <= now && next_ < end_; next_ += gap_(random_) / rate_) {
        lags_.push_back(now - next_);
        waiting_.push_back({next_, &texts_[planned_++ % texts_.size()]});
      }
      send_waiting();
      if (next_ < end_) return arrive();
      over_ = true;
      end_if_answered();
      patience_.expires_after(
          std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(kPatience)));
      patience_.async_wait([this](ErrorCode error) {
        if (!error) io_.stop();
      });
    });
  }

  void send_waiting() {
    while (!waiting_.empty()) {
      if (!idle_.empty()) {  // the last one that was used: few connections where few are needed
        const auto connection = std::move(idle_.back());
        idle_.pop_back();
        const auto request = waiting_.front();
        waiting_.pop_front();
        send(connection, request);
      } else if (open_ < most_) {
        ++open_, ++made_, ++under_way_;
        const auto connection = std::make_shared<Connection>(io_);
        const auto request = waiting_.front();
        waiting_.pop_front();
        connection->socket.async_connect(endpoint_, [this, connection, request](ErrorCode error) {
          --under_way_;
          if (error) return lose();
          connection->socket.set_option(tcp::no_delay(true));
          send(connection, request);
        });
      } else {
        return;
      }
    }
  }

  void send(const Held& connection, const Request& request) {
    ++under_way_;
    asio::async_write(connection->socket, asio::buffer(*request.text),
                      [this, connection, request](ErrorCode error, size_t) {
                        if (error) return broken(connection, request);
                        connection->parser.emplace();
                        connection->parser->body_limit(boost::none);
                        http::async_read(connection->socket, connection->buffer, *connection->parser,
                                         [this, connection, request](ErrorCode e, size_t) {
                                           if (e) return broken(connection, request);
                                           answered(connection, request);
                                         });
                      });
  }

  void answered(const Held& connection, const Request& request) {
    --under_way_;
    const auto& reply = connection->parser->get();
    took_[reply.result_int()].push_back(seconds() - request.planned);
    if (reply.keep_alive()) {
      idle_.push_back(connection);
    } else {
      --open_;
    }
    send_waiting();
    end_if_answered();
  }

  void broken(const Held&, const Request&) {
    --under_way_;
    lose();
  }

  void lose() {
    --open_;
    send_waiting();
    end_if_answered();
  }

  void end_if_answered() {
    if (!over_ || under_way_ > 0 || !waiting_.empty()) return;
    patience_.cancel();
    signals_.cancel();
    io_.stop();
  }

  asio::io_context io_{1};
  asio::steady_timer timer_{io_}, patience_{io_};
  asio::signal_set signals_{io_, SIGINT, SIGTERM};
  const tcp::endpoint endpoint_;
  const double rate_, length_;
  const size_t most_;
  const double good_;
  const std::vector<std::string> texts_;
  std::mt19937_64 random_{1};
  std::exponential_distribution<double> gap_{1};
  double begin_ = 0, next_ = 0, end_ = 0;
  size_t planned_ = 0, open_ = 0, made_ = 0, under_way_ = 0;
  bool over_ = false;
  std::deque<Request> waiting_;
  std::vector<Held> idle_;
  std::map<unsigned, std::vector<double>> took_;  // status to seconds
  std::vector<double> lags_;
};

std::vector<std::string> read_requests(const char* file, const std::string& path) {
  std::ifstream in(file);
  std::vector<std::string> texts;
  for (std::string body; std::getline(in, body);)
    texts.push_back("POST " + path +
                    " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body);
  return texts;
}

int main_of(int argc, char** argv) {
  if (argc < 7 || argc > 8) {
    std::fprintf(stderr, "usage: bench_load PORT RATE SECONDS CONNECTIONS GOOD_MS BODIES [PATH]\n");
    return 2;
  }
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) files.rlim_cur = files.rlim_max, setrlimit(RLIMIT_NOFILE, &files);
  auto texts = read_requests(argv[6], argc > 7 ? argv[7] : "/v1/retrieve");
  if (texts.empty()) {
    std::fprintf(stderr, "error: %s holds no bodies\n", argv[6]);
    return 1;
  }
  Load load(static_cast<uint16_t>(std::atoi(argv[1])), std::atof(argv[2]), std::atof(argv[3]),
            static_cast<size_t>(std::atoll(argv[4])), std::atof(argv[5]) / 1e3, std::move(texts));
  load.run();
  load.print();
  return 0;
}

}  // namespace
}  // namespace pagoda

int main(int argc, char** argv) { return pagoda::main_of(argc, argv); }
