#include "stream/status_server.h"

#include <utility>  // asio needs it and does not include it

#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <chrono>
#include <thread>

#include "server/http/address.h"

namespace pagoda::stream {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr auto kTime = std::chrono::seconds(10);
constexpr auto kStatusPause = std::chrono::milliseconds(100);
constexpr uint32_t kHeaderBytes = 8192;

class Call : public std::enable_shared_from_this<Call> {
 public:
  Call(tcp::socket socket, const std::function<std::string()>& metrics)
      : stream_(std::move(socket)), metrics_(metrics) {
    parser_.header_limit(kHeaderBytes);
    parser_.body_limit(0);
  }

  void run() {
    stream_.expires_after(kTime);
    http::async_read_header(stream_, buffer_, parser_, [self = shared_from_this()](ErrorCode error, size_t) {
      if (!error) self->answer();
    });
  }

 private:
  void answer() {
    const auto path = parser_.get().target();
    const bool read = parser_.get().method() == http::verb::get;
    reply_.set(http::field::content_type, "text/plain; charset=utf-8");
    reply_.keep_alive(false);
    if (read && path == "/metrics") {
      reply_.set(http::field::content_type, "text/plain; version=0.0.4");
      reply_.body() = metrics_();
    } else if (read && path == "/livez") {
      reply_.body() = "ok\n";
    } else {
      reply_.result(read ? http::status::not_found : http::status::method_not_allowed);
      reply_.body() = "there are GET /metrics and GET /livez\n";
    }
    reply_.prepare_payload();
    http::async_write(stream_, reply_, [self = shared_from_this()](ErrorCode, size_t) {
      ErrorCode ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  beast::tcp_stream stream_;
  const std::function<std::string()>& metrics_;
  beast::flat_buffer buffer_;
  http::request_parser<http::empty_body> parser_;
  http::response<http::string_body> reply_;
};

}  // namespace

class StatusServer::Listener {
 public:
  Listener(int socket, std::function<std::string()> metrics) : metrics_(std::move(metrics)), acceptor_(context_) {
    sockaddr_storage of{};
    socklen_t size = sizeof of;
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&of), &size);
    acceptor_.assign(of.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), socket);
    port_ = acceptor_.local_endpoint().port();
    accept();
    thread_ = std::thread([this] { context_.run(); });
  }
  ~Listener() {
    context_.stop();
    thread_.join();
  }
  int port() const { return port_; }

 private:
  void accept() {
    acceptor_.async_accept([this](ErrorCode error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error)
        std::make_shared<Call>(std::move(socket), metrics_)->run();
      else
        std::this_thread::sleep_for(kStatusPause);  // no more files may be open
      accept();
    });
  }

  std::function<std::string()> metrics_;
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  int port_ = 0;
  std::thread thread_;
};

StatusServer::StatusServer(const std::string& key, const std::string& address, std::function<std::string()> metrics)
    : listener_(std::make_unique<Listener>(server::listen_on(key, address), std::move(metrics))) {}
StatusServer::~StatusServer() = default;
int StatusServer::port() const { return listener_->port(); }

}  // namespace pagoda::stream
