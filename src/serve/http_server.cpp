#include "serve/http_server.h"

#include <utility>  // before asio, which forgets it

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast.hpp>
#include <boost/beast/ssl.hpp>
#include <csignal>
#include <sys/resource.h>
#include <thread>
#include <unordered_map>

#include "core/log.h"
#include "serve/address.h"

namespace pagoda {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr size_t kReadBytes = 16 * 1024;
constexpr uint32_t kHeaderBytes = 16 * 1024;
// What is still read of a client that has been refused, so that it gets to see why before its connection breaks.
constexpr size_t kLingerBytes = 16 << 20;
constexpr auto kLingerTime = std::chrono::seconds(2);

std::string_view view(beast::string_view s) { return {s.data(), s.size()}; }

template <class Fields>
Call call_of(const http::request<http::string_body, Fields>& request) {
  constexpr std::string_view kBearer = "Bearer ";
  const auto target = view(request.target());
  const auto authorization = view(request[http::field::authorization]);
  Call call{.method = std::string(view(request.method_string())),
            .path = std::string(target.substr(0, target.find('?'))),
            .key = std::string(view(request["X-Api-Key"])),
            .body = {},
            .known_tag = std::string(view(request[http::field::if_none_match])),
            .takes_gzip = http::token_list(request[http::field::accept_encoding]).exists("gzip")};
  if (call.method == "HEAD") call.method = "GET";  // the same, but for the body
  if (authorization.starts_with(kBearer)) call.key = authorization.substr(kBearer.size());
  return call;
}

// What a connection is to those that keep count of them.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual void close_unless_busy() = 0;  // busy: a request of its is being answered
};

// What connections share, borrowed by each.
struct Shared {
  Handler& handler;
  const ServeOptions& options;
  std::function<void(uint64_t number)> closed;

  std::chrono::milliseconds read_timeout() const { return std::chrono::milliseconds(options.read_timeout_ms); }
};

// Reads a request, has it answered, writes the answer, and again. All of it happens on the strand of the stream; it lives as
// long as something is under way for it. Stream is beast::tcp_stream, or beast::ssl_stream of one.
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
    if constexpr (kTls) {
      tcp().expires_after(shared_.read_timeout());
      stream_.async_handshake(asio::ssl::stream_base::server, [self = this->shared_from_this()](ErrorCode error) {
        if (!error) self->await_request();
      });
    } else {
      asio::dispatch(stream_.get_executor(), [self = this->shared_from_this()] { self->await_request(); });
    }
  }

  void close_unless_busy() override {
    asio::post(stream_.get_executor(), [weak = this->weak_from_this()] {
      if (const auto self = weak.lock(); self && !self->busy_) self->tcp().close();
    });
  }

 private:
  static constexpr bool kTls = !std::is_same_v<Stream, beast::tcp_stream>;
  beast::tcp_stream& tcp() { return beast::get_lowest_layer(stream_); }

  // Until the first byte of a request the connection is idle; from then on the whole request has one deadline.
  void await_request() {
    if (buffer_.size() > 0) return read_header();
    tcp().expires_after(std::chrono::milliseconds(shared_.options.idle_timeout_ms));
    stream_.async_read_some(buffer_.prepare(kReadBytes), [self = this->shared_from_this()](ErrorCode error, size_t n) {
      if (error) return self->end();
      self->buffer_.commit(n);
      self->read_header();
    });
  }

  void read_header() {
    parser_.emplace();
    parser_->header_limit(kHeaderBytes);
    parser_->body_limit(std::numeric_limits<uint64_t>::max());  // known when the header says who asks for what
    tcp().expires_after(shared_.read_timeout());
    http::async_read_header(stream_, buffer_, *parser_, [self = this->shared_from_this()](ErrorCode error, size_t) {
      if (!error) return self->on_header();
      self->on_bad_request(error);
    });
  }

  void on_header() {
    call_ = call_of(parser_->get());
    keep_alive_ = parser_->get().keep_alive();
    const auto length = parser_->content_length();
    const size_t bytes = length ? static_cast<size_t>(*length) : 0;
    if (auto refused = shared_.handler.refuse(call_, bytes)) {
      refused->close |= !parser_->is_done();
      return write(std::move(*refused));
    }
    parser_->body_limit(static_cast<uint64_t>(shared_.options.most_body_kb) * 1024);
    if (!beast::iequals(parser_->get()[http::field::expect], "100-continue")) return read_body();
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(kContinue), [self = this->shared_from_this()](ErrorCode error, size_t) {
      if (!error) self->read_body();
    });
  }

  void read_body() {
    http::async_read(stream_, buffer_, *parser_, [self = this->shared_from_this()](ErrorCode error, size_t) {
      if (error) return self->on_bad_request(error);
      self->answer();
    });
  }

  void on_bad_request(ErrorCode error) {
    if (error == http::error::end_of_stream) return end();
    if (error == http::error::body_limit)
      return write_and_close(
          error_reply(413, fmt::format("the body is larger than {} kB", shared_.options.most_body_kb)));
    if (error == http::error::header_limit)
      return write_and_close(error_reply(400, fmt::format("the header is larger than {} bytes", kHeaderBytes)));
    if (error.category() == http::make_error_code(http::error::bad_method).category() &&
        error != http::error::partial_message)
      return write_and_close(error_reply(400, "no HTTP/1.1 request: " + error.message()));
    // The connection broke, or took too long: there is nobody to tell.
  }

  void answer() {
    busy_ = true;
    tcp().expires_never();
    call_.body = std::move(parser_->get().body());
    shared_.handler.handle(call_, [self = this->shared_from_this()](Handler::Writing writing) {
      asio::post(self->stream_.get_executor(), [self, writing = std::move(writing)] { self->write(writing()); });
    });
  }

  void write_and_close(Reply reply) {
    reply.close = true;
    write(std::move(reply));
  }

  void write(Reply reply) {
    response_ = {};
    response_.result(static_cast<unsigned>(reply.status));
    response_.version(11);
    response_.set(http::field::content_type, reply.content_type);
    if (!reply.allow.empty()) response_.set(http::field::allow, reply.allow);
    if (reply.retry_after_s > 0) response_.set(http::field::retry_after, std::to_string(reply.retry_after_s));
    for (const auto& [name, value] : reply.fields) response_.set(beast::string_view(name.data(), name.size()), value);
    if (reply.status == 401) response_.set(http::field::www_authenticate, "Bearer");
    response_.keep_alive(keep_alive_ && !reply.close && !shared_.handler.draining());
    if (reply.status != 304) response_.content_length(reply.body.size());
    if (parser_->get().method() != http::verb::head) response_.body() = std::move(reply.body);
    tcp().expires_after(shared_.read_timeout());
    http::async_write(stream_, response_, [self = this->shared_from_this()](ErrorCode error, size_t) {
      self->busy_ = false;
      if (error) return;
      if (self->response_.keep_alive()) return self->await_request();
      self->end();
    });
  }

  // Says that nothing more will come, and waits for the other side to see it: closing at once would break the connection
  // under an answer that it has not read.
  void end() {
    tcp().expires_after(kLingerTime);
    if constexpr (kTls) {
      stream_.async_shutdown([self = this->shared_from_this()](ErrorCode) {});
    } else {
      ErrorCode ignored;
      tcp().socket().shutdown(tcp::socket::shutdown_send, ignored);
      linger();
    }
  }

  void linger() {
    buffer_.clear();
    tcp().async_read_some(buffer_.prepare(kReadBytes), [self = this->shared_from_this()](ErrorCode error, size_t n) {
      self->lingered_ += n;
      if (!error && self->lingered_ < kLingerBytes) self->linger();
    });
  }

  const Shared& shared_;
  const uint64_t number_;
  Stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  Call call_;
  http::response<http::string_body> response_;
  bool busy_ = false, keep_alive_ = false;
  size_t lingered_ = 0;
};

}  // namespace

class HttpServer::Listener {
 public:
  Listener(Handler& handler, const ServeOptions& options)
      : options_(options), shared_{handler, options_, [this](uint64_t number) { on_closed(number); }} {
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
    asio::dispatch(strand_, [this] { accept(); });
    std::vector<std::thread> threads;
    for (int64_t i = 1; i < options_.io_threads; ++i) threads.emplace_back([this] { io_.run(); });
    io_.run();
    for (auto& thread : threads) thread.join();
  }

 private:
  void use_certificate() {
    try {
      tls_.emplace(asio::ssl::context::tls_server);
      tls_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                        asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
      tls_->use_certificate_chain_file(options_.tls_certificate);
      tls_->use_private_key_file(options_.tls_key, asio::ssl::context::pem);
    } catch (const boost::system::system_error& e) {
      fail(ErrorKind::failed, "the certificate {} with the key {} can not be used: {}", options_.tls_certificate,
           options_.tls_key, e.what());
    }
  }

  // A connection is an open file, of which a process may often have but 1024 unless it asks for more.
  static void allow_connections() {
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }

  void listen() {
    const auto [host, port] = host_and_port("serve.http", options_.http);
    ErrorCode error;
    const auto found = tcp::resolver(io_).resolve(host, port, tcp::resolver::passive, error);
    if (error)
      fail(ErrorKind::usage, "serve.http = \"{}\": there is no such address: {}", options_.http, error.message());
    const tcp::endpoint endpoint = *found.begin();
    try {
      acceptor_.open(endpoint.protocol());
      acceptor_.set_option(asio::socket_base::reuse_address(true));
      acceptor_.bind(endpoint);
      acceptor_.listen();
    } catch (const boost::system::system_error& e) {
      fail(ErrorKind::failed, "{} can not be listened on: {}", options_.http, e.code().message());
    }
    loopback_ = endpoint.address().is_loopback();
  }

  // All that follows runs on strand_.
  void accept() {
    if (!acceptor_.is_open() || accepting_ || open_.size() >= static_cast<size_t>(options_.connections)) return;
    accepting_ = true;
    acceptor_.async_accept(asio::make_strand(io_),
                           asio::bind_executor(strand_, [this](ErrorCode error, tcp::socket socket) {
                             accepting_ = false;
                             if (error == asio::error::operation_aborted) return;
                             if (error) {  // too many files are open: some will be closed
                               retry_.expires_after(std::chrono::milliseconds(100));
                               retry_.async_wait(asio::bind_executor(strand_, [this](ErrorCode e) {
                                 if (!e) accept();
                               }));
                               return;
                             }
                             ErrorCode failed;  // then answers are slower
                             if (socket.set_option(tcp::no_delay(true), failed)) log_debug("{}", failed.message());
                             if (tls_)
                               start(std::make_shared<Session<beast::ssl_stream<beast::tcp_stream>>>(
                                   shared_, next_, std::move(socket), *tls_));
                             else
                               start(std::make_shared<Session<beast::tcp_stream>>(shared_, next_, std::move(socket)));
                             accept();
                           }));
  }

  template <class S>
  void start(const std::shared_ptr<S>& session) {
    open_.emplace(next_++, session);
    session->start();
  }

  // On any thread: a session ends with what was last under way for it.
  void on_closed(uint64_t number) {
    asio::post(strand_, [this, number] {
      open_.erase(number);
      accept();
      if (draining_) end_when_done();
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
    ends_.async_wait(asio::bind_executor(strand_, [this](ErrorCode error, int signal) {
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
      drained_.async_wait(asio::bind_executor(strand_, [this](ErrorCode) {
        acceptor_.close();
        for (const auto& [number, connection] : open_)
          if (const auto session = connection.lock()) session->close_unless_busy();
        end_when_done();
      }));
      await_end();
    }));
  }

  void end_when_done() {
    if (acceptor_.is_open() || !open_.empty()) return;
    ends_.cancel(), hangups_.cancel();
    work_.reset();
  }

  ServeOptions options_;
  Shared shared_;
  asio::io_context io_;
  std::optional<asio::ssl::context> tls_;
  asio::strand<asio::io_context::executor_type> strand_ = asio::make_strand(io_);
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  tcp::acceptor acceptor_{io_};
  asio::steady_timer retry_{io_}, drained_{io_};
  asio::signal_set ends_{io_, SIGTERM, SIGINT}, hangups_{io_, SIGHUP};
  uint64_t next_ = 0;  // number of a connection
  std::unordered_map<uint64_t, std::weak_ptr<Connection>> open_;
  bool accepting_ = false, draining_ = false, loopback_ = true;
  std::function<void()> on_drain_;
};

HttpServer::HttpServer(Handler& handler, const ServeOptions& options)
    : listener_(std::make_unique<Listener>(handler, options)) {
  if (!listener_->loopback() && options.keys.empty())
    log_warning("{} can be reached from other machines, and there are no keys: anybody may ask", listener_->address());
}
HttpServer::~HttpServer() = default;
std::string HttpServer::address() const { return listener_->address(); }
void HttpServer::run(const std::function<void()>& on_hangup, const std::function<void()>& on_drain) {
  listener_->run(on_hangup, on_drain);
}

}  // namespace pagoda
