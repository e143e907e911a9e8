// The commands of the program. Their arguments are parsed; errors are thrown as Error.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "evaluate/user_table.h"
#include "propose/proposal.h"

namespace pagoda::cli {

// Set by Ctrl-C and SIGTERM; long work checks it.
extern std::atomic<bool> interrupted;

struct InitArgs {
  propose::Request request;
  std::string output = "pagoda.toml";
  std::vector<std::string> set;  // a.b=v
};
struct DiagnoseArgs {
  std::vector<std::string> interactions;
  std::string config, user, item, time, items, format, json;
  int64_t batch = 0;  // 0: the config's
};
struct ConfigArgs {
  std::string config;
  std::vector<std::string> set;
};
struct TrainArgs {
  std::string config, output;
  std::vector<std::string> set;           // a.b=v
  std::vector<std::string> interactions;  // without a config
  std::vector<std::string> item_vectors, user_vectors;
  std::string user, item, time, weight, items, users;
  bool resume = false, profile = false;
  std::string from;    // the bundle to go on from
  std::string forget;  // a duration
};
struct EvaluateArgs {
  std::string model, data, k, json, rescore, repeats, context;
  std::vector<std::string> set;
  int64_t rescore_from = 1000;
  bool no_baselines = false;
  std::string per_user;  // a Parquet file
  bool user_table = false;
};
struct SplitArgs {
  std::string config, output, format = "csv";
  std::vector<std::string> set;
};
struct EnsembleArgs {
  std::vector<std::string> models;
  std::string weights, choose, output;
};
struct IndexArgs {
  std::string model, kind, vectors, ids, id, vector, attributes, output;
  std::string metric = "inner_product", precision;
  // for a partitioned index; nothing: as before
  std::string queries;
  std::optional<double> recall;
  std::optional<int64_t> k, lists;
  std::optional<uint64_t> seed;
};
struct RetrieveArgs {
  std::string model, users, vectors, id, vector, filter, format, rescore, output = "-";
  std::vector<std::string> exclude{"seen"};
  int64_t k = 1000, rescore_from = 1000;
  std::optional<double> max_unknown;  // share of the users, 0 to 1
  std::optional<size_t> shards;
  bool explain = false;
};
struct SimilarArgs {
  std::string model, items, format, output = "-";
  int64_t k = 20;
};
struct EncodeArgs {
  std::string model, what, input, output;
};
struct ReportArgs {
  std::vector<std::string> models;
  std::string output = "report.html";
};
struct LabArgs {
  std::string config, output;
  std::vector<std::string> set;
};
struct InspectArgs {
  std::string model;
  bool json = false;
};
struct ServeArgs {
  std::string model, http, grpc, keys, config, compare;
  std::vector<std::string> set;
  bool ui = false;
};
struct StreamArgs {
  std::string config, output, from;
  std::vector<std::string> set;  // a.b=v
  bool once = false;
};
struct PublishArgs {
  std::string model;
  bool rollback = false;
  std::optional<uint64_t> version;
};
struct DemoArgs {
  std::string folder = "build/demo";
  std::string program = "pagoda";  // argv[0]
};

// What `evaluate` finds; keeps the figures beside the bundle as it does.
struct EvaluatedModel {
  std::string json;           // INTERFACE: `evaluate --json`, without its warnings
  evaluate::UserTable users;  // where args.user_table or args.per_user asks for it
};
EvaluatedModel evaluate_model(const EvaluateArgs& args);
std::string diagnosis_json(const DiagnoseArgs& args);  // that of `diagnose --json`

void run_init(const InitArgs& args);
void run_diagnose(const DiagnoseArgs& args);
void run_config(const ConfigArgs& args);
void run_train(const TrainArgs& args);
void run_split(const SplitArgs& args);
void run_evaluate(const EvaluateArgs& args);
void run_index(const IndexArgs& args);
void run_ensemble(const EnsembleArgs& args);
void run_retrieve(const RetrieveArgs& args);
void run_similar(const SimilarArgs& args);
void run_encode(const EncodeArgs& args);
void run_report(const ReportArgs& args);
void run_lab_command(const LabArgs& args);
void run_inspect(const InspectArgs& args);
void run_serve(const ServeArgs& args);
void run_stream_command(const StreamArgs& args);
void run_publish(const PublishArgs& args);
void run_doctor();
void run_demo(const DemoArgs& args);

}  // namespace pagoda::cli
