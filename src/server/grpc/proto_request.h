// Private: converts gRPC requests to the JSON of the same calls, so that one parser checks the requests of both
// transports. A field that is not set is left out; docs/serve.md has the names, meanings and limits.
#pragma once

#include <string>

#include <pagoda/v1/retrieval.pb.h>

namespace pagoda::server {

std::string request_json(const v1::RetrieveRequest& message);
std::string request_json(const v1::RetrieveBatchRequest& message);
std::string request_json(const v1::SimilarRequest& message);
std::string request_json(const v1::EncodeRequest& message);
std::string request_json(const v1::UpsertItemsRequest& message);
std::string request_json(const v1::DeleteItemsRequest& message);
std::string request_json(const v1::AddEventsRequest& message);
std::string request_json(const v1::ModelRequest& message);

}  // namespace pagoda::server
