// Private: requests of gRPC as the JSON of the same calls, so that one reader checks what either transport brings. A field
// that is not set is left out; names, meanings and limits are those of docs/serve.md.
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
std::string request_json(const v1::ModelRequest& message);

}  // namespace pagoda::server
