// An open-loop load on a server: requests leave at moments that were planned before, whether or not earlier ones have been
// answered, as those of many users do. A latency counts from the planned moment, so time that a request waits for a connection
// is the server's.
//
//   bench_load PORT RATE SECONDS CONNECTIONS GOOD_MS BODIES [PATH]
//
// Gaps between arrivals are exponential, from a fixed seed. BODIES has a body a line, sent in turns to PATH (/v1/retrieve).
// Connections are kept and made when they are needed, CONNECTIONS at most; where all are busy a request waits. An answer of 200
// within GOOD_MS is a good one. SECONDS ends early at SIGINT or SIGTERM. One line of JSON out; the generator's own lag stands
// beside, since a generator that is late itself has measured something else, and the CPU time that it took: where the server
// runs on the same CPUs it had so much less.
//
// It reads of HTTP what our server writes, with system calls alone: what it spends is taken from the server that it measures.
#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <netinet/tcp.h>
#include <random>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

#include "bench/timing.h"

namespace pagoda {
namespace {

constexpr double kPatience = 10;  // seconds after the last arrival; what is not answered then never was
constexpr int kEvents = 256;      // that are looked at before the next arrivals are

volatile std::sig_atomic_t stopped = 0;

// q of 1: the largest. Sorts.
double quantile(std::vector<double>& v, double q) {
  if (v.empty()) return 0;
  std::ranges::sort(v);
  return v[std::min(v.size() - 1, static_cast<size_t>(q * static_cast<double>(v.size())))];
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

struct Request {
  double planned = 0;  // on the clock of seconds()
  const std::string* text = nullptr;
};

struct Answer {
  unsigned status = 0;
  size_t bytes = 0;  // with the header; 0: not all of it is there
  bool closes = false;
};

Answer answer_in(std::string_view text) {
  const auto end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return {};
  const auto header = text.substr(0, end);
  const auto value = [&](std::string_view name) {
    const auto at = header.find(name);
    return at == std::string_view::npos ? std::string_view() : header.substr(at + name.size());
  };
  const auto length = value("\r\nContent-Length: ");
  const size_t bytes = end + 4 + (length.empty() ? 0 : std::strtoull(length.data(), nullptr, 10));
  if (text.size() < bytes) return {};
  return {static_cast<unsigned>(std::atoi(header.data() + header.find(' '))), bytes,
          value("\r\nConnection: ").starts_with("close")};
}

class Load {
 public:
  Load(uint16_t port, double rate, double seconds, size_t connections, double good, std::vector<std::string> texts)
      : rate_(rate), length_(seconds), most_(connections), good_(good), texts_(std::move(texts)) {
    server_.sin_family = AF_INET;
    server_.sin_port = htons(port);
    server_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }

  void run() {
    begin_ = next_ = seconds();
    end_ = begin_ + length_;
    std::vector<epoll_event> events(kEvents);
    for (;;) {
      const double now = seconds();
      if (stopped) end_ = std::min(end_, now);
      for (; next_ <= now && next_ < end_; next_ += gap_(random_) / rate_) {
        lags_.push_back(now - next_);
        waiting_.push_back({next_, &texts_[planned_++ % texts_.size()]});
      }
      send_waiting();
      const bool over = next_ >= end_;
      if (over && ((under_way_ == 0 && waiting_.empty()) || now > end_ + kPatience)) return;
      wait(events, over ? 0.1 : next_ - seconds());
    }
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
        "\"cpu_s\": %.3f, \"lag_p999_ms\": %.3f, \"lag_most_ms\": %.3f, \"statuses\": {%s}}\n",
        rate_, end_ - begin_, planned_, good, planned_ - answered, made_, cpu_seconds(), 1e3 * quantile(lags_, 0.999),
        1e3 * quantile(lags_, 1), statuses.c_str());
  }

 private:
  struct Connection {
    int socket = -1;
    Request request;      // text is nullptr: none is under way
    size_t sent = 0;      // bytes of it
    std::string partial;  // of an answer
  };

  void wait(std::vector<epoll_event>& events, double longest) {
    const auto ns = static_cast<long>(1e9 * std::max(0.0, longest));
    const timespec time{ns / 1'000'000'000, ns % 1'000'000'000};
    const int n = epoll_pwait2(poll_, events.data(), kEvents, &time, nullptr);
    for (int i = 0; i < n; ++i) {
      auto& connection = *static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr);
      if (connection.socket < 0) continue;
      if (events[static_cast<size_t>(i)].events & EPOLLOUT) send_rest(connection);
      if (connection.socket >= 0 && events[static_cast<size_t>(i)].events & ~static_cast<uint32_t>(EPOLLOUT))
        receive(connection);
    }
    for (const auto* connection : closed_) connections_.erase(connection);
    closed_.clear();
  }

  void send_waiting() {
    while (!waiting_.empty()) {
      Connection* connection = nullptr;
      if (!idle_.empty()) {  // the last one that was used: few connections where few are needed
        connection = idle_.back();
        idle_.pop_back();
      } else if (open_ < most_) {
        connection = connect();
      }
      if (!connection) return;
      ++under_way_;
      connection->request = waiting_.front(), connection->sent = 0;
      waiting_.pop_front();
      if (connection->socket >= 0) send_rest(*connection);
    }
  }

  // On loopback it is there at once, or waits for the server's listener to have room.
  Connection* connect() {
    ++open_, ++made_;
    auto owned = std::make_unique<Connection>();
    auto* connection = owned.get();
    connections_.emplace(connection, std::move(owned));
    connection->socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int one = 1;
    ::setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, .data = {.ptr = connection}};
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, connection->socket, &event);
    ::connect(connection->socket, reinterpret_cast<const sockaddr*>(&server_), sizeof server_);
    return connection;
  }

  void send_rest(Connection& connection) {
    if (!connection.request.text) return;
    const auto& text = *connection.request.text;
    while (connection.sent < text.size()) {
      const auto n =
          ::send(connection.socket, text.data() + connection.sent, text.size() - connection.sent, MSG_NOSIGNAL);
      if (n > 0) {
        connection.sent += static_cast<size_t>(n);
      } else if (errno == EAGAIN || errno == ENOTCONN || errno == EINPROGRESS) {
        return;  // told when there is room
      } else {
        return lose(connection);
      }
    }
  }

  void receive(Connection& connection) {
    for (;;) {
      const auto n = ::recv(connection.socket, buffer_.data(), buffer_.size(), 0);
      if (n < 0 && errno == EAGAIN) return;
      if (n <= 0) return lose(connection);
      const std::string_view came(buffer_.data(), static_cast<size_t>(n));
      if (!connection.partial.empty()) connection.partial += came;
      const auto answer = answer_in(connection.partial.empty() ? came : connection.partial);
      if (answer.bytes > 0) return answered(connection, answer);
      if (connection.partial.empty()) connection.partial = came;
    }
  }

  void answered(Connection& connection, const Answer& answer) {
    --under_way_;
    took_[answer.status].push_back(seconds() - connection.request.planned);
    connection.request = {};
    connection.partial.clear();
    if (answer.closes)
      close(connection);
    else
      idle_.push_back(&connection);
  }

  void lose(Connection& connection) {
    if (connection.request.text)
      --under_way_;
    else
      std::erase(idle_, &connection);
    close(connection);
  }

  void close(Connection& connection) {
    --open_;
    ::close(connection.socket);
    connection.socket = -1;
    closed_.push_back(&connection);
  }

  sockaddr_in server_{};
  const int poll_ = ::epoll_create1(EPOLL_CLOEXEC);
  const double rate_, length_;
  const size_t most_;
  const double good_;
  const std::vector<std::string> texts_;
  std::mt19937_64 random_{1};
  std::exponential_distribution<double> gap_{1};
  double begin_ = 0, next_ = 0, end_ = 0;
  size_t planned_ = 0, open_ = 0, made_ = 0, under_way_ = 0;
  std::deque<Request> waiting_;
  std::unordered_map<const Connection*, std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> idle_, closed_;
  std::vector<char> buffer_ = std::vector<char>(1 << 18);
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
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { stopped = 1; });
  Load load(static_cast<uint16_t>(std::atoi(argv[1])), std::atof(argv[2]), std::atof(argv[3]),
            static_cast<size_t>(std::atoll(argv[4])), std::atof(argv[5]) / 1e3, std::move(texts));
  load.run();
  load.print();
  return 0;
}

}  // namespace
}  // namespace pagoda

int main(int argc, char** argv) { return pagoda::main_of(argc, argv); }
