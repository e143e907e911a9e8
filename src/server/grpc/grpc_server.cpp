#include "server/grpc/grpc_server.h"

#include <utility>  // before asio, which forgets it

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <pagoda/v1/retrieval.grpc.pb.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <list>
#include <mutex>
#include <unordered_map>

#include "core/file.h"
#include "core/log.h"
#include "server/grpc/proto_encoder.h"
#include "server/grpc/proto_request.h"
#include "server/http/address.h"
#include "server/http/connection_limiter.h"
#include "server/request_log.h"

namespace pagoda::server {
namespace {

constexpr int kMetadataBytes = 16 * 1024;
// Memory for connections and incomplete requests together: kReceivedBytes, and kReceivedRequests requests of the
// largest size. Beyond it, gRPC ends some of them.
constexpr size_t kReceivedBytes = 64 << 20, kReceivedRequests = 256;
// When there are too many calls, a response that its client has not taken for this long is cancelled.
constexpr std::chrono::seconds kTaken{1};

grpc::StatusCode code_of(int status) {
  switch (status) {
    case 200: return grpc::StatusCode::OK;
    case 400: return grpc::StatusCode::INVALID_ARGUMENT;
    case 401: return grpc::StatusCode::UNAUTHENTICATED;
    case 403: return grpc::StatusCode::PERMISSION_DENIED;
    case 404: return grpc::StatusCode::NOT_FOUND;
    case 413:
    case 429: return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case 503: return grpc::StatusCode::UNAVAILABLE;
    case 504: return grpc::StatusCode::DEADLINE_EXCEEDED;
    default: return grpc::StatusCode::INTERNAL;
  }
}

// A value from the call's metadata; "" if it is missing.
std::string metadata_value(const grpc::CallbackServerContext& context, const char* name) {
  const auto& metadata = context.client_metadata();
  const auto at = metadata.find(name);
  return at == metadata.end() ? std::string() : std::string(at->second.data(), at->second.size());
}

std::string key_of(const grpc::CallbackServerContext& context) {
  constexpr std::string_view kBearer = "Bearer ";
  const auto authorization = metadata_value(context, "authorization");
  if (authorization.starts_with(kBearer)) return authorization.substr(kBearer.size());
  return metadata_value(context, "x-api-key");
}

// Computed relative to now, because the system clock cannot represent every deadline a client may send.
std::optional<SteadyClock::time_point> deadline_of(const grpc::CallbackServerContext& context) {
  const auto deadline = context.raw_deadline();
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) return std::nullopt;
  const auto left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  constexpr int64_t kLongest = 24 * 3600;
  const auto seconds = std::clamp<int64_t>(left.tv_sec, -kLongest, kLongest);
  return SteadyClock::now() + std::chrono::seconds(seconds) + std::chrono::nanoseconds(left.tv_nsec);
}

bool parse(const grpc::ByteBuffer& bytes, google::protobuf::Message& message) {
  grpc::Slice slice;
  return bytes.DumpToSingleSlice(&slice).ok() && message.ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
}

// The service in raw bytes: a call without a key is refused before its message is parsed, and a response is encoded
// once.
template <template <class> class... Methods>
struct Raw;
template <template <class> class First, template <class> class... Rest>
struct Raw<First, Rest...> {
  using Service = First<typename Raw<Rest...>::Service>;
};
template <>
struct Raw<> {
  using Service = v1::Retrieval::Service;
};
using RawService =
    Raw<v1::Retrieval::WithRawCallbackMethod_Retrieve, v1::Retrieval::WithRawCallbackMethod_RetrieveBatch,
        v1::Retrieval::WithRawCallbackMethod_Similar, v1::Retrieval::WithRawCallbackMethod_Encode,
        v1::Retrieval::WithRawCallbackMethod_UpsertItems, v1::Retrieval::WithRawCallbackMethod_DeleteItems,
        v1::Retrieval::WithRawCallbackMethod_AddEvents, v1::Retrieval::WithRawCallbackMethod_Model>::Service;

// The calls under way, from their arrival until their responses are sent. gRPC limits only the calls of one connection,
// and a response that its client does not take stays in memory. Thread-safe.
class Calls {
 public:
  using Context = grpc::CallbackServerContext;

  explicit Calls(size_t max_calls) : max_calls_(max_calls) {}

  // Returns false when there are too many calls and none can be cancelled.
  bool add(Context& context) {
    const std::lock_guard lock(mutex_);
    under_way_.emplace(&context, answered_.end());
    return under_way_.size() <= max_calls_ || cut_off();
  }
  // The call's response is being passed to gRPC until written().
  void answered(Context& context) {
    const std::lock_guard lock(mutex_);
    under_way_.at(&context) = answered_.insert(answered_.end(), {&context, SteadyClock::now()});
    ++writing_;
  }
  void written() {
    const std::lock_guard lock(mutex_);
    --writing_;
    tell_if_none();
  }
  void remove(Context& context) {
    const std::lock_guard lock(mutex_);
    const auto call = under_way_.find(&context);
    if (call->second != answered_.end()) answered_.erase(call->second);
    under_way_.erase(call);
    tell_if_none();
  }
  void await_none(std::chrono::milliseconds longest) {
    std::unique_lock lock(mutex_);
    none_.wait_for(lock, longest, [&] { return is_none(); });
  }

 private:
  // A call may end before the thread that answered it returns from gRPC.
  bool is_none() const { return under_way_.empty() && writing_ == 0; }
  void tell_if_none() {
    if (is_none()) none_.notify_all();
  }
  // Cancels responses that were not taken. A context lives until remove(), which waits for the mutex, or comes from
  // TryCancel() on this thread.
  bool cut_off() {
    bool any = false;
    for (const auto now = SteadyClock::now(); !answered_.empty() && now - answered_.front().second >= kTaken;
         any = true) {
      auto* const context = answered_.front().first;
      answered_.pop_front();
      under_way_.at(context) = answered_.end();
      context->TryCancel();
    }
    return any;
  }

  const size_t max_calls_;
  std::recursive_mutex mutex_;
  std::condition_variable_any none_;
  size_t writing_ = 0;
  std::list<std::pair<Context*, SteadyClock::time_point>> answered_;  // oldest first
  std::unordered_map<Context*, decltype(answered_)::iterator> under_way_;
};

class Reactor final : public grpc::ServerUnaryReactor {
 public:
  Reactor(Calls& calls, Calls::Context& context) : calls_(calls), context_(context) {}
  // What its line of the log says.
  struct Logged {
    const char* method = "";
    std::string path{}, id{};
  };
  Logged log;
  const SteadyClock::time_point began = SteadyClock::now();
  void OnDone() override {
    calls_.remove(context_);
    delete this;
  }

 private:
  Calls& calls_;
  Calls::Context& context_;
};

class Service final : public RawService {
 public:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;

  Service(Handler& handler, size_t writers, size_t max_calls)
      : handler_(handler), under_way_(max_calls), writers_(writers) {}
  void await_end(std::chrono::milliseconds longest) { under_way_.await_none(longest); }

  grpc::ServerUnaryReactor* Retrieve(Context* context, const Bytes* request, Bytes* response) override {
    return answer<v1::RetrieveRequest>(*context, *request, *response, "POST", "/v1/retrieve");
  }
  grpc::ServerUnaryReactor* RetrieveBatch(Context* context, const Bytes* request, Bytes* response) override {
    return answer<v1::RetrieveBatchRequest>(*context, *request, *response, "POST", "/v1/retrieve_batch");
  }
  grpc::ServerUnaryReactor* Similar(Context* context, const Bytes* request, Bytes* response) override {
    return answer<v1::SimilarRequest>(*context, *request, *response, "POST", "/v1/similar");
  }
  grpc::ServerUnaryReactor* Encode(Context* context, const Bytes* request, Bytes* response) override {
    return answer<v1::EncodeRequest>(*context, *request, *response, "POST", "/v1/encode");
  }
  grpc::ServerUnaryReactor* UpsertItems(Context* context, const Bytes* request, Bytes* response) override {
    return answer<v1::UpsertItemsRequest>(*context, *request, *response, "POST", "/v1/items:upsert");
  }
  grpc::ServerUnaryReactor* DeleteItems(Context* context, const Bytes* request, Bytes* response) override {
    return answer<v1::DeleteItemsRequest>(*context, *request, *response, "POST", "/v1/items:delete");
  }
  grpc::ServerUnaryReactor* AddEvents(Context* context, const Bytes* request, Bytes* response) override {
    return answer<v1::AddEventsRequest>(*context, *request, *response, "POST", "/v1/events");
  }
  grpc::ServerUnaryReactor* Model(Context* context, const Bytes* request, Bytes* response) override {
    return answer<v1::ModelRequest>(*context, *request, *response, "GET", "/v1/model");
  }

 private:
  template <class Message>
  Reactor* answer(Context& context, const Bytes& request, Bytes& response, const char* method, const char* path) {
    auto* reactor = new Reactor(under_way_, context);
    const bool has_room = under_way_.add(context);
    const auto model = metadata_value(context, "pagoda-model");
    ApiRequest call{.method = method,
                    .path = model.empty() ? path : "/" + model + path,
                    .key = key_of(context),
                    .body = {},
                    .deadline = deadline_of(context),
                    .body_bytes = request.Length(),
                    .encoder = &proto_encoder()};
    if (handler_.options().log_requests) {
      call.id = request_id(metadata_value(context, "x-request-id"));
      context.AddInitialMetadata("x-request-id", call.id);
      reactor->log = {.method = method, .path = call.path, .id = call.id};
    }
    const auto refused = handler_.refuse(call, request.Length());
    Message message;
    if (refused) {
      finish(context, response, *reactor, *refused);
    } else if (!has_room) {
      handler_.reject_overloaded(call);
      finish(context, response, *reactor, overloaded_response());
    } else if (handler_.should_reject(call)) {
      finish(context, response, *reactor, overloaded_response());
    } else if (!parse(request, message)) {
      finish(context, response, *reactor, error_response(400, "the request is not a " + message.GetTypeName()));
    } else {
      call.body = request_json(message);
      handler_.handle(call, [this, &context, &response, reactor](Handler::ResponseBuilder build) {
        boost::asio::post(writers_, [this, &context, &response, reactor, build = std::move(build)]() mutable {
          const ApiResponse reply = std::exchange(build, nullptr)();  // released before the call counts as answered
          finish(context, response, *reactor, reply);
        });
      });
    }
    return reactor;
  }

  // Context and response live until the reactor finishes.
  void finish(Context& context, Bytes& response, Reactor& reactor, const ApiResponse& reply) {
    if (handler_.options().log_requests)
      log_request({.protocol = "grpc",
                   .method = reactor.log.method,
                   .path = reactor.log.path,
                   .id = reactor.log.id,
                   .status = reply.status,
                   .items = reply.items,
                   .began = reactor.began});
    under_way_.answered(context);
    if (reply.status == 200) {
      const grpc::Slice slice(reply.body);
      response = Bytes(&slice, 1);
      reactor.Finish(grpc::Status::OK);
    } else {
      if (!reply.field.empty()) context.AddTrailingMetadata("pagoda-field", reply.field);
      if (reply.retry_after_s > 0)
        context.AddTrailingMetadata("grpc-retry-pushback-ms", std::to_string(1000 * reply.retry_after_s));
      reactor.Finish({code_of(reply.status), reply.error});
    }
    under_way_.written();
  }

  Handler& handler_;
  Calls under_way_;
  boost::asio::thread_pool writers_;
};

std::shared_ptr<grpc::ServerCredentials> credentials(const retrieval::ServeOptions& options) {
  if (options.tls_certificate.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back({read_file(options.tls_key), read_file(options.tls_certificate)});
  return grpc::SslServerCredentials(tls);
}

}  // namespace

class GrpcServer::Listener {
 public:
  Listener(Handler& handler, const retrieval::ServeOptions& options)
      : options_(options),
        service_(handler, static_cast<size_t>(options.io_threads), 2 * static_cast<size_t>(options.queue)),
        limiter_(limiter_of(options, handler.metrics())) {
    gpr_set_log_function([](gpr_log_func_args* line) { log_debug("gRPC: {}", line->message); });
    // Otherwise every message with invalid UTF-8 would write to stderr.
    google::protobuf::SetLogHandler([](google::protobuf::LogLevel, const char*, int, const std::string& message) {
      log_debug("protobuf: {}", message);
    });
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    const auto as_int = [](int64_t n) { return static_cast<int>(std::min<int64_t>(n, INT_MAX)); };
    builder.SetMaxReceiveMessageSize(as_int(options.max_body_kb * 1024));
    // gRPC would inflate a whole message before it checks the size.
    for (const auto packed : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE})
      builder.SetCompressionAlgorithmSupportStatus(packed, false);
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMetadataBytes);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, as_int(options.queue));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, as_int(options.idle_timeout_ms));
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, as_int(options.read_timeout_ms));
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, as_int(options.idle_timeout_ms));
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, as_int(options.read_timeout_ms));
    builder.SetResourceQuota(grpc::ResourceQuota("pagoda").Resize(
        kReceivedBytes + kReceivedRequests * 1024 * static_cast<size_t>(options.max_body_kb)));
    using Type = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
    inside_ = builder.experimental().AddExternalConnectionAcceptor(Type::FROM_FD, credentials(options));
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    if (!server_) fail(ErrorKind::failed, "gRPC cannot be started");
    address_ = options.grpc.substr(0, options.grpc.rfind(':') + 1) + std::to_string(limiter_.port());
    const auto host = host_and_port("serve.grpc", options.grpc).first;
    if (options.keys.empty() && host != "localhost" && host != "::1" && !host.starts_with("127."))
      log_warning("{} can be reached from other machines, and there are no keys: anybody may ask", address_);
    server_->GetHealthCheckService()->SetServingStatus(v1::Retrieval::service_full_name(), true);
    limiter_.accept([this](int socket) {
      grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
      connection.fd = socket;
      inside_->HandleNewConnection(&connection);
    });
  }

  const std::string& address() const { return address_; }
  void drain() { server_->GetHealthCheckService()->SetServingStatus(false); }
  // Shutdown has a deadline, because a client that watches the health service never ends its call.
  void close() {
    limiter_.close();
    service_.await_end(std::chrono::milliseconds(options_.read_timeout_ms));
    server_->Shutdown(std::chrono::system_clock::now());
  }

 private:
  static ConnectionLimiter limiter_of(const retrieval::ServeOptions& options, ServeMetrics& metrics) {
    return {"serve.grpc", options.grpc, static_cast<size_t>(options.connections),
            [&metrics](int change) { metrics.connections(change); }};
  }

  retrieval::ServeOptions options_;
  Service service_;
  std::string address_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> inside_;
  ConnectionLimiter limiter_;  // gRPC itself does not limit connections
  std::unique_ptr<grpc::Server> server_;
};

GrpcServer::GrpcServer(Handler& handler, const retrieval::ServeOptions& options)
    : listener_(std::make_unique<Listener>(handler, options)) {}
GrpcServer::~GrpcServer() { close(); }
std::string GrpcServer::address() const { return listener_->address(); }
void GrpcServer::drain() { listener_->drain(); }
void GrpcServer::close() { listener_->close(); }

}  // namespace pagoda::server
