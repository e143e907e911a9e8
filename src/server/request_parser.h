// Private: parses the bodies of calls into typed queries and enforces the server's limits. Every error is a
// RequestError that names the field.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "retrieval/live_events.h"
#include "retrieval/options.h"
#include "server/search_queue.h"

namespace pagoda::server {

// How to write a list.
struct ListFormat {
  std::vector<size_t> attributes;  // columns of the item table
  size_t k = 0;                    // k of the request
};

struct RetrieveCall {
  CandidateQuery query;
  ListFormat format;
};
struct SimilarCall {
  SimilarQuery query;
  ListFormat format;
};

struct FindItemsCall {
  std::string text;
  std::vector<uint32_t> rows;  // of items given by id, in place of the text
  bool named = false;
  size_t limit = 0;
  ListFormat format;
};
struct FindUsersCall {
  std::string text;
  std::vector<uint32_t> rows;
  bool named = false;
  size_t limit = 0, history = 0;
};

// Borrows both arguments. Thread-safe.
class RequestParser {
 public:
  RequestParser(const retrieval::ServeOptions& options, const retrieval::Snapshot& snapshot)
      : options_(options), snapshot_(snapshot) {}

  nlohmann::json body(std::string_view text) const;  // parses a JSON object

  // A request in a batch has no timeout_ms; the batch has one for all.
  enum class Place { alone, in_batch };
  RetrieveCall retrieve(const nlohmann::json& object, Place place) const;
  std::vector<RetrieveCall> retrieve_batch(const nlohmann::json& object) const;
  SimilarCall similar(const nlohmann::json& object) const;
  SearchPayload encode(const nlohmann::json& object) const;
  FindItemsCall find_items(const nlohmann::json& object) const;
  FindUsersCall find_users(const nlohmann::json& object) const;
  std::vector<retrieval::ItemChange> upserted_items(const nlohmann::json& object) const;
  std::vector<retrieval::ItemChange> deleted_items(const nlohmann::json& object) const;
  // An event without a time is of `now_us`.
  std::vector<retrieval::LiveEvent> events(const nlohmann::json& object, int64_t now_us) const;
  // The earlier of timeout_ms, counted from now, and the transport's deadline; without both, the server's own.
  SteadyClock::time_point deadline(const nlohmann::json& object,
                                   std::optional<SteadyClock::time_point> of_transport) const;

 private:
  void need_towers(const std::string& field, std::string_view instead) const;
  retrieval::RetrieveRequest user(const nlohmann::json& object) const;
  std::vector<size_t> attributes(const nlohmann::json& value) const;
  size_t read_limit(const nlohmann::json& object) const;
  ItemVectorsQuery items(const nlohmann::json& list) const;
  const nlohmann::json& changed_items(const nlohmann::json& object) const;
  retrieval::LiveEvent event(const nlohmann::json& object, int64_t now_us) const;
  retrieval::ItemChange new_item(const nlohmann::json& object, const retrieval::BroughtItems& items) const;

  const retrieval::ServeOptions& options_;
  const retrieval::Snapshot& snapshot_;
};

}  // namespace pagoda::server
