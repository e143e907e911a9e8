#include "server/http/http_server.h"

#include <utility>  // asio needs it and does not include it

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast.hpp>
#include <atomic>
#include <csignal>
#include <deque>
#include <sys/resource.h>
#include <thread>
#include <unordered_map>

#include "core/log.h"
#include "server/http/address.h"
#include "server/request_log.h"

namespace pagoda::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr size_t kReadBytes = 16 * 1024;
constexpr uint32_t kHeaderBytes = 16 * 1024;
// How much is still read from a refused client, so that it sees the response before the connection breaks.
constexpr size_t kLingerBytes = 16 << 20;
constexpr auto kLingerTime = std::chrono::seconds(2);
// Interval of reading while searches are rejected; far shorter than accepted searches wait.
constexpr std::chrono::milliseconds kPause{3};

std::string_view view(beast::string_view s) { return {s.data(), s.size()}; }

template <class Fields>
ApiRequest call_of(const http::request<http::string_body, Fields>& request) {
  constexpr std::string_view kBearer = "Bearer ";
  const auto target = view(request.target());
  const auto authorization = view(request[http::field::authorization]);
  ApiRequest call{.method = std::string(view(request.method_string())),
                  .path = std::string(target.substr(0, target.find('?'))),
                  .key = std::string(view(request["X-Api-Key"])),
                  .body = {},
                  .if_none_match = std::string(view(request[http::field::if_none_match])),
                  .takes_gzip = http::token_list(request[http::field::accept_encoding]).exists("gzip")};
  if (call.method == "HEAD") call.method = "GET";  // answered alike, without the body
  if (authorization.starts_with(kBearer)) call.key = authorization.substr(kBearer.size());
  call.id = view(request["X-Request-Id"]);
  return call;
}

// The head of a response. No field contains anything a client sent, but for an id that was checked (request_log.h).
std::string head_of(const ApiResponse& reply, bool keep_alive) {
  const auto status = static_cast<http::status>(reply.status);
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\n", reply.status,
                                 view(http::obsolete_reason(status)), reply.content_type);
  const auto field = [&](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  if (!reply.allow.empty()) field("Allow", reply.allow);
  if (reply.retry_after_s > 0) field("Retry-After", std::to_string(reply.retry_after_s));
  for (const auto& [name, value] : reply.fields) field(name, value);
  if (reply.status == 401) field("WWW-Authenticate", "Bearer");
  if (!keep_alive) field("Connection", "close");
  if (reply.status != 304) field("Content-Length", std::to_string(reply.body.size()));
  return head += "\r\n";
}

// A connection as the listener sees it.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual void close_unless_busy() = 0;  // busy: a request is being answered
  virtual void close_if_past(SteadyClock::time_point now) = 0;
};

// Shared by all connections, which borrow it.
struct Shared {
  Handler& handler;
  const retrieval::ServeOptions& options;
  std::function<void(uint64_t number)> closed;
  std::string overloaded;  // the whole response to a rejected search

  std::chrono::milliseconds read_timeout() const { return std::chrono::milliseconds(options.read_timeout_ms); }
  std::chrono::milliseconds idle_timeout() const { return std::chrono::milliseconds(options.idle_timeout_ms); }
};

using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;

// A connection: reads a request, has it answered, writes the response, and repeats. Everything runs on the one thread
// of the stream's io_context; the session lives while an operation is pending. Stream is Socket, or asio::ssl::stream
// of one.
//
// Under overload most requests are rejected, and the cost of a rejection is taken from the others: so it takes one
// system call to read and one to write, and the body is not parsed. Deadlines are numbers that the listener checks from
// time to time, not timers.
template <class Stream>
class Session : public Connection, public std::enable_shared_from_this<Session<Stream>> {
 public:
  template <class... Args>
  Session(const Shared& shared, uint64_t number, Args&&... args)
      : shared_(shared), number_(number), stream_(std::forward<Args>(args)...) {
    shared_.handler.metrics().connections(1);
  }
  ~Session() override {
    shared_.handler.metrics().connections(-1);
    shared_.closed(number_);
  }

  void start() {
    expires_after(shared_.read_timeout());
    asio::post(stream_.get_executor(), [self = this->shared_from_this()] {
      if constexpr (kTls) {
        self->stream_.async_handshake(asio::ssl::stream_base::server, [self](ErrorCode error) {
          if (!error) self->await_request();
        });
      } else {
        ErrorCode failed;  // on failure, async_write writes responses
        self->stream_.non_blocking(true, failed);
        self->await_request();
      }
    });
  }

  void close_unless_busy() override {
    asio::post(stream_.get_executor(), [weak = this->weak_from_this()] {
      if (const auto self = weak.lock(); self && !self->busy_) self->close();
    });
  }

  void close_if_past(SteadyClock::time_point now) override {
    if (now.time_since_epoch().count() < expires_.load(std::memory_order_relaxed)) return;
    asio::post(stream_.get_executor(), [weak = this->weak_from_this()] {
      const auto self = weak.lock();
      if (self && SteadyClock::now().time_since_epoch().count() >= self->expires_) self->close();
    });
  }

 private:
  static constexpr bool kTls = !std::is_same_v<Stream, Socket>;
  static constexpr SteadyClock::rep kNever = std::numeric_limits<SteadyClock::rep>::max();

  void close() {
    ErrorCode ignored;
    stream_.lowest_layer().close(ignored);
  }
  void expires_after(SteadyClock::duration time) { expires_ = (SteadyClock::now() + time).time_since_epoch().count(); }

  // Until the first byte of a request the connection is idle; from then on the whole request has one deadline.
  void await_request() {
    parser_.reset();
    if (buffer_.size() > 0)  // posted, so that pipelined requests do not recurse
      return asio::post(stream_.get_executor(), [self = this->shared_from_this()] { self->parse(); });
    expires_after(skip_ > 0 ? shared_.read_timeout() : shared_.idle_timeout());
    read();
  }

  void read() {
    stream_.async_read_some(buffer_.prepare(kReadBytes), [self = this->shared_from_this()](ErrorCode error, size_t n) {
      if (error) return self->on_read_error();
      self->buffer_.commit(n);
      self->parse();
    });
  }

  // The connection broke, or was too slow, in the middle of a request: no one is left to answer.
  void on_read_error() {
    if (!parser_) end();
  }

  void parse() {
    const auto skipped = std::min(skip_, buffer_.size());
    buffer_.consume(skipped);
    skip_ -= skipped;
    if (buffer_.size() == 0) return skip_ > 0 ? read() : await_request();
    if (!parser_) {
      began_ = SteadyClock::now();
      call_ = {};
      parser_.emplace();
      parser_->header_limit(kHeaderBytes);
      parser_->body_limit(std::numeric_limits<uint64_t>::max());  // set when the header is known
      expires_after(shared_.read_timeout());
    }
    while (!parser_->is_done()) {
      if (buffer_.size() == 0) return read();
      const bool had_header = parser_->is_header_done();
      ErrorCode error;
      buffer_.consume(parser_->put(buffer_.data(), error));
      // The unparsed rest is a header or the frame of a chunk, which the parser does not limit.
      if (error == http::error::need_more && buffer_.size() >= kHeaderBytes) error = http::error::header_limit;
      if (error == http::error::need_more) return read();
      if (error) return on_bad_request(error);
      if (!had_header && parser_->is_header_done() && !on_header()) return;
    }
    answer();
  }

  // Whether to read the body now.
  bool on_header() {
    call_ = call_of(parser_->get());
    if (shared_.options.log_requests) call_.id = request_id(call_.id);
    keep_alive_ = parser_->get().keep_alive();
    const auto length = parser_->content_length();
    const size_t bytes = length ? static_cast<size_t>(*length) : 0;
    if (auto refused = shared_.handler.refuse(call_, bytes)) {
      refused->close |= !parser_->is_done();
      write(std::move(*refused));
      return false;
    }
    const bool asks = !parser_->is_done() && beast::iequals(parser_->get()[http::field::expect], "100-continue");
    if (length && !asks && keep_alive_ && shared_.handler.should_reject(call_)) {
      skip_ = bytes;
      parser_.reset();
      log(429, std::nullopt);
      send(asio::buffer(shared_.overloaded), {});
      return false;
    }
    parser_->body_limit(static_cast<uint64_t>(shared_.options.max_body_kb) * 1024);
    parser_->eager(true);
    if (!asks) return true;
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(kContinue), [self = this->shared_from_this()](ErrorCode error, size_t) {
      if (error) return;
      if (self->buffer_.size() > 0) return self->parse();
      self->read();
    });
    return false;
  }

  void on_bad_request(ErrorCode error) {
    if (error == http::error::body_limit)
      return write_and_close(
          error_response(413, fmt::format("the body is larger than {} kB", shared_.options.max_body_kb)));
    if (error == http::error::header_limit)
      return write_and_close(error_response(400, fmt::format("the header is larger than {} bytes", kHeaderBytes)));
    write_and_close(error_response(400, "not an HTTP/1.1 request: " + error.message()));
  }

  void answer() {
    busy_ = true;
    expires_ = kNever;
    call_.body = std::move(parser_->get().body());
    shared_.handler.handle(call_, [self = this->shared_from_this()](Handler::ResponseBuilder build) {
      asio::post(self->stream_.get_executor(), [self, build = std::move(build)] { self->write(build()); });
    });
  }

  void write_and_close(ApiResponse reply) {
    reply.close = true;
    write(std::move(reply));
  }

  void write(ApiResponse reply) {
    keep_alive_ = keep_alive_ && !reply.close && !shared_.handler.draining();
    if (!call_.id.empty() && shared_.options.log_requests) reply.fields.emplace_back("X-Request-Id", call_.id);
    log(reply.status, reply.items);
    head_ = head_of(reply, keep_alive_);
    body_ = std::move(reply.body);
    const bool without_body = reply.status == 304 || parser_->get().method() == http::verb::head;
    send(asio::buffer(head_), without_body ? asio::const_buffer() : asio::buffer(body_));
  }

  void log(int status, std::optional<size_t> items) const {
    if (shared_.options.log_requests)
      log_request({.protocol = "http",
                   .method = call_.method,
                   .path = call_.path,
                   .id = call_.id,
                   .status = status,
                   .items = items,
                   .began = began_});
  }

  // Most responses fit into the socket's buffer, and are written at once.
  void send(asio::const_buffer head, asio::const_buffer body) {
    busy_ = true;
    expires_after(shared_.read_timeout());
    std::array<asio::const_buffer, 2> rest{head, body};
    if constexpr (!kTls) {
      ErrorCode error;
      auto sent = stream_.write_some(rest, error);
      if (error && error != asio::error::would_block) return;
      if (error) sent = 0;
      if (sent == head.size() + body.size()) return on_sent();
      for (auto& part : rest) {
        const auto of_it = std::min(sent, part.size());
        part += of_it;
        sent -= of_it;
      }
    }
    asio::async_write(stream_, rest, [self = this->shared_from_this()](ErrorCode error, size_t) {
      if (!error) self->on_sent();
    });
  }

  void on_sent() {
    busy_ = false;
    if (keep_alive_) return await_request();
    end();
  }

  // Shuts down sending, and waits for the client: closing at once could reset the connection before it read the
  // response.
  void end() {
    expires_after(kLingerTime);
    if constexpr (kTls) {
      stream_.async_shutdown([self = this->shared_from_this()](ErrorCode) {});
    } else {
      ErrorCode ignored;
      stream_.shutdown(tcp::socket::shutdown_send, ignored);
      linger();
    }
  }

  void linger() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(kReadBytes), [self = this->shared_from_this()](ErrorCode error, size_t n) {
      self->lingered_ += n;
      if (!error && self->lingered_ < kLingerBytes) self->linger();
    });
  }

  const Shared& shared_;
  const uint64_t number_;
  Stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;  // of the current request
  size_t skip_ = 0;                                                // bytes of a body to discard
  ApiRequest call_;
  SteadyClock::time_point began_;  // when its first bytes came
  std::string head_, body_;        // of the response
  bool busy_ = false, keep_alive_ = false;
  size_t lingered_ = 0;
  std::atomic<SteadyClock::rep> expires_{kNever};
};

}  // namespace

class HttpServer::Listener {
 public:
  Listener(Handler& handler, const retrieval::ServeOptions& options)
      : options_(options), shared_{handler, options_, [this](uint64_t number) { on_closed(number); }, overloaded()} {
    for (int64_t i = 1; i < options_.io_threads; ++i) others_.emplace_back(1);
    if (!options_.tls_certificate.empty()) use_certificate();
    allow_connections();
    listen();
  }

  std::string address() const {
    const auto endpoint = acceptor_.local_endpoint();
    const auto host = endpoint.address().to_string();
    return fmt::format("{}:{}", endpoint.address().is_v6() ? "[" + host + "]" : host, endpoint.port());
  }

  bool loopback() const { return loopback_; }

  void run(const std::function<void()>& on_hangup, const std::function<void()>& on_drain) {
    on_drain_ = on_drain;
    await_end();
    await_hangup(on_hangup);
    close_those_past();
    accept();
    std::vector<std::thread> threads;
    for (auto& context : others_) {
      work_.push_back(asio::make_work_guard(context));
      threads.emplace_back([this, &context] { work(context); });
    }
    work_.push_back(asio::make_work_guard(io_));
    work(io_);
    for (auto& thread : threads) thread.join();
  }

 private:
  // While searches are rejected, requests are read in bundles, because a thread that wakes for each interrupts the
  // searches.
  void work(asio::io_context& context) const {
    while (context.run_one() > 0) {
      context.poll();
      if (shared_.handler.rejects_searches()) std::this_thread::sleep_for(kPause);
    }
  }

  void use_certificate() {
    try {
      tls_.emplace(asio::ssl::context::tls_server);
      tls_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                        asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
      tls_->use_certificate_chain_file(options_.tls_certificate);
      tls_->use_private_key_file(options_.tls_key, asio::ssl::context::pem);
    } catch (const boost::system::system_error& e) {
      fail(ErrorKind::failed, "the certificate {} with the key {} cannot be used: {}", options_.tls_certificate,
           options_.tls_key, e.what());
    }
  }

  static std::string overloaded() {
    const auto reply = overloaded_response();
    return head_of(reply, true) + reply.body;
  }

  // A connection is an open file, and the default limit is often 1024.
  static void allow_connections() {
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }

  void listen() {
    const int listener = listen_on("serve.http", options_.http);
    int family = 0;
    socklen_t size = sizeof family;
    ::getsockopt(listener, SOL_SOCKET, SO_DOMAIN, &family, &size);
    acceptor_.assign(family == AF_INET6 ? tcp::v6() : tcp::v4(), listener);
    loopback_ = acceptor_.local_endpoint().address().is_loopback();
  }

  // Everything below runs on the thread of io_, except on_closed.
  void accept() {
    if (!acceptor_.is_open() || accepting_ || open_.size() >= static_cast<size_t>(options_.connections)) return;
    accepting_ = true;
    auto& context = next_ % static_cast<uint64_t>(options_.io_threads) == 0
                        ? io_
                        : others_[next_ % static_cast<uint64_t>(options_.io_threads) - 1];
    acceptor_.async_accept(
        context, asio::bind_executor(io_, [this](ErrorCode error, Socket socket) {
          accepting_ = false;
          if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
          if (error) {  // too many open files; retried when some have closed
            retry_.expires_after(std::chrono::milliseconds(100));
            retry_.async_wait([this](ErrorCode e) {
              if (!e) accept();
            });
            return;
          }
          ErrorCode failed;  // on failure, responses are slower
          if (socket.set_option(tcp::no_delay(true), failed)) log_debug("{}", failed.message());
          if (tls_)
            start(std::make_shared<Session<asio::ssl::stream<Socket>>>(shared_, next_, std::move(socket), *tls_));
          else
            start(std::make_shared<Session<Socket>>(shared_, next_, std::move(socket)));
          accept();
        }));
  }

  template <class S>
  void start(const std::shared_ptr<S>& session) {
    open_.emplace(next_++, session);
    session->start();
  }

  // On any thread: a session ends with its last operation.
  void on_closed(uint64_t number) {
    asio::post(io_, [this, number] {
      open_.erase(number);
      accept();
      if (draining_) end_when_done();
    });
  }

  void close_those_past() {
    constexpr std::chrono::milliseconds kOften{5}, kSeldom{250};
    const auto shortest = std::min(shared_.read_timeout(), shared_.idle_timeout());
    sweep_.expires_after(std::clamp(shortest / 10, kOften, kSeldom));
    sweep_.async_wait([this](ErrorCode error) {
      if (error || work_.empty()) return;  // the server ended meanwhile
      const auto now = SteadyClock::now();
      for (const auto& [number, connection] : open_)
        if (const auto session = connection.lock()) session->close_if_past(now);
      close_those_past();
    });
  }

  void await_hangup(const std::function<void()>& on_hangup) {
    hangups_.async_wait([this, &on_hangup](ErrorCode error, int) {
      if (error) return;
      on_hangup();
      await_hangup(on_hangup);
    });
  }

  void await_end() {
    ends_.async_wait([this](ErrorCode error, int signal) {
      if (error) return;
      if (draining_) {
        ends_.clear();
        std::signal(signal, SIG_DFL);
        std::raise(signal);
        return;
      }
      draining_ = true;
      shared_.handler.drain();
      on_drain_();
      log_info("draining: {} connections are open", open_.size());
      drained_.expires_after(std::chrono::milliseconds(options_.drain_ms));
      drained_.async_wait([this](ErrorCode) {
        acceptor_.close();
        for (const auto& [number, connection] : open_)
          if (const auto session = connection.lock()) session->close_unless_busy();
        end_when_done();
      });
      await_end();
    });
  }

  void end_when_done() {
    if (acceptor_.is_open() || !open_.empty()) return;
    ends_.cancel();
    hangups_.cancel();
    sweep_.cancel();
    work_.clear();
  }

  retrieval::ServeOptions options_;
  Shared shared_;
  // One thread each; a connection stays on its thread.
  asio::io_context io_{1};
  std::deque<asio::io_context> others_;
  std::optional<asio::ssl::context> tls_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  tcp::acceptor acceptor_{io_};
  asio::steady_timer retry_{io_}, drained_{io_}, sweep_{io_};
  asio::signal_set ends_{io_, SIGTERM, SIGINT}, hangups_{io_, SIGHUP};
  uint64_t next_ = 0;  // number of the next connection
  std::unordered_map<uint64_t, std::weak_ptr<Connection>> open_;
  bool accepting_ = false, draining_ = false, loopback_ = true;
  std::function<void()> on_drain_;
};

HttpServer::HttpServer(Handler& handler, const retrieval::ServeOptions& options)
    : listener_(std::make_unique<Listener>(handler, options)) {
  if (!listener_->loopback() && options.keys.empty())
    log_warning("{} can be reached from other machines, and there are no keys: anybody may ask", listener_->address());
}
HttpServer::~HttpServer() = default;
std::string HttpServer::address() const { return listener_->address(); }
void HttpServer::run(const std::function<void()>& on_hangup, const std::function<void()>& on_drain) {
  listener_->run(on_hangup, on_drain);
}

}  // namespace pagoda::server
