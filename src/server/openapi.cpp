#include "server/openapi.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "retrieval/json_request.h"

namespace pagoda::server {

namespace {

using Json = nlohmann::ordered_json;

// The calls that take a body, and the schemas of bodies and answers.
struct Post {
  const char *path, *summary, *request, *answer;
  bool ui = false;
};
constexpr Post kPosts[]{
    {"/v1/retrieve", "Candidates for a user", "RetrieveRequest", "Candidates"},
    {"/v1/retrieve_batch", "Candidates for several users", "RetrieveBatchRequest", "CandidatesOfABatch"},
    {"/v1/similar", "The items most like an item", "SimilarRequest", "SimilarItems"},
    {"/v1/encode", "Vectors of users or items", "EncodeRequest", "Vectors"},
    {"/v1/items:upsert", "Items added, or replaced: attributes are a whole row", "UpsertRequest", "Changed"},
    {"/v1/items:delete", "Items that do not come back any more", "DeleteRequest", "Changed"},
    {"/v1/events", "What users have just done: it counts in their next answers", "EventsRequest", "TakenEvents"},
    {"/v1/items:find", "Items by name and popularity, with --ui", "FindItemsRequest", "FoundItems", true},
    {"/v1/users:find", "Users by name, with --ui", "FindUsersRequest", "FoundUsers", true},
};

// Lacks the calls above, the schemas that are parts of others, and the errors that every POST, or every call with a
// key, may return.
constexpr const char* kDocument = R"json({
 "openapi": "3.0.3",
 "info": {"title": "Pagoda", "description": "Candidates for users, from one bundle.", "version": "1"},
 "security": [{}, {"key": []}, {"key_field": []}],
 "paths": {
  "/v1/catalogue": {
   "get": {
    "summary": "The items as a whole, with --ui: how popular they are, and a map of their vectors",
    "responses": {
     "200": {
      "description": "The answer",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Catalogue"}}}
     },
     "404": {"$ref": "#/components/responses/404"}
    }
   }
  },
  "/v1/model": {
   "get": {
    "summary": "What the bundle is, and the names it knows",
    "responses": {
     "200": {
      "description": "What the bundle is, and the names it knows",
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Model"}}}
     }
    }
   }
  },
  "/openapi.json": {
   "get": {
    "summary": "This document",
    "responses": {
     "200": {"description": "This document", "content": {"application/json": {"schema": {"type": "object"}}}}
    }
   }
  },
  "/livez": {
   "get": {
    "summary": "The process lives",
    "security": [],
    "responses": {
     "200": {"description": "The process lives", "content": {"application/json": {"schema": {"type": "object"}}}}
    }
   }
  },
  "/readyz": {
   "get": {
    "summary": "Calls are answered",
    "security": [],
    "responses": {
     "200": {"description": "Calls are answered", "content": {"application/json": {"schema": {"type": "object"}}}},
     "503": {"$ref": "#/components/responses/503"}
    }
   }
  },
  "/metrics": {
   "get": {
    "summary": "Metrics for Prometheus",
    "responses": {
     "200": {"description": "Metrics for Prometheus", "content": {"text/plain": {"schema": {"type": "string"}}}}
    }
   }
  }
 },
 "components": {
  "schemas": {
   "Id": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
   "Value": {"nullable": true, "oneOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]},
   "Feature": {
    "nullable": true,
    "oneOf": [
     {"type": "string"},
     {"type": "number"},
     {"type": "boolean"},
     {"type": "array", "items": {"oneOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]}}
    ]
   },
   "RetrieveRequest": {
    "type": "object",
    "properties": {
     "user": {"$ref": "#/components/schemas/Id"},
     "history": {
      "type": "array",
      "items": {"$ref": "#/components/schemas/Id"},
      "description": "Item ids, the latest last, in place of what is known of the user"
     },
     "recent": {"type": "array", "items": {"$ref": "#/components/schemas/Id"}, "description": "Items since then"},
     "events": {
      "type": "object",
      "additionalProperties": {"type": "array", "items": {"$ref": "#/components/schemas/Id"}},
      "description": "Items by kind of event, the latest last: after what is known, or in its place with a history"
     },
     "context": {
      "type": "object",
      "additionalProperties": {"$ref": "#/components/schemas/Value"},
      "description": "What is known of the moment, by the names that GET /v1/model lists"
     },
     "features": {
      "type": "object",
      "additionalProperties": {"$ref": "#/components/schemas/Feature"},
      "description": "The user's attributes, as a whole row"
     },
     "time": {
      "description": "Of the request: ISO 8601, or a number since 1970",
      "oneOf": [{"type": "string"}, {"type": "number"}]
     },
     "vector": {"type": "array", "items": {"type": "number"}, "description": "A query vector in place of a user"},
     "k": {"type": "integer", "minimum": 1, "description": "Candidates; the server's default otherwise"},
     "filter": {"type": "string", "description": "An expression over item attributes"},
     "exclude": {"type": "array", "items": {"$ref": "#/components/schemas/Id"}, "description": "Items to leave out"},
     "exclude_seen": {
      "type": "boolean",
      "default": true,
      "description": "Items of the user's history and of recent do not come back"
     },
     "quota": {
      "type": "object",
      "properties": {"attribute": {"type": "string"}, "max": {"type": "integer", "minimum": 1}},
      "required": ["attribute", "max"],
      "additionalProperties": false,
      "description": "At most max items of one value of the attribute"
     },
     "min_score": {"type": "number"},
     "exact": {
      "type": "boolean",
      "default": false,
      "description": "Searched exactly, where the bundle's index is approximate"
     },
     "attributes": {
      "type": "array",
      "items": {"type": "string"},
      "description": "Attributes of the items, in their order"
     },
     "explain": {"type": "boolean", "default": false},
     "timeout_ms": {"type": "integer", "minimum": 1, "maximum": 3600000}
    },
    "additionalProperties": false
   },
   "RetrieveBatchRequest": {
    "type": "object",
    "properties": {
     "requests": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/RequestOfABatch"}},
     "timeout_ms": {"type": "integer", "minimum": 1, "maximum": 3600000}
    },
    "required": ["requests"],
    "additionalProperties": false
   },
   "SimilarRequest": {
    "type": "object",
    "properties": {
     "item": {"$ref": "#/components/schemas/Id"},
     "k": {"type": "integer", "minimum": 1, "description": "Candidates; the server's default otherwise"},
     "attributes": {
      "type": "array",
      "items": {"type": "string"},
      "description": "Attributes of the items, in their order"
     },
     "timeout_ms": {"type": "integer", "minimum": 1, "maximum": 3600000}
    },
    "required": ["item"],
    "additionalProperties": false
   },
   "EncodeRequest": {
    "type": "object",
    "properties": {
     "users": {"type": "array", "items": {"$ref": "#/components/schemas/User"}},
     "items": {
      "type": "array",
      "items": {"oneOf": [{"type": "string"}, {"type": "integer"}, {"$ref": "#/components/schemas/NewItem"}]}
     },
     "timeout_ms": {"type": "integer", "minimum": 1, "maximum": 3600000}
    },
    "additionalProperties": false,
    "description": "Either users or items"
   },
   "NewItem": {
    "type": "object",
    "properties": {
     "item": {"$ref": "#/components/schemas/Id"},
     "attributes": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Feature"}}
    },
    "required": ["item"],
    "additionalProperties": false
   },
   "FindItemsRequest": {
    "type": "object",
    "properties": {
     "search": {"type": "string", "description": "How an id, or a word of a title, begins; all items otherwise"},
     "items": {
      "type": "array",
      "items": {"$ref": "#/components/schemas/Id"},
      "description": "These, in place of a search; ids that nobody knows are left out"
     },
     "limit": {"type": "integer", "minimum": 1, "default": 20, "description": "Of a search"},
     "attributes": {
      "type": "array",
      "items": {"type": "string"},
      "description": "Attributes of the items, in their order"
     }
    },
    "additionalProperties": false
   },
   "FoundItems": {
    "type": "object",
    "properties": {
     "items": {"type": "array", "items": {"type": "string"}, "description": "The most popular first, of a search"},
     "counts": {"type": "array", "items": {"type": "integer"}, "description": "Rows of the training part on each"},
     "attributes": {"type": "array", "items": {"type": "object", "additionalProperties": {}}},
     "model": {"type": "string", "description": "The bundle's fingerprint"}
    },
    "required": ["items", "counts", "model"],
    "additionalProperties": false
   },
   "FindUsersRequest": {
    "type": "object",
    "properties": {
     "search": {"type": "string", "description": "How an id begins; a few users with a history otherwise"},
     "users": {
      "type": "array",
      "items": {"$ref": "#/components/schemas/Id"},
      "description": "These, in place of a search; ids that nobody knows are left out"
     },
     "limit": {"type": "integer", "minimum": 1, "default": 20, "description": "Of a search"},
     "history": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "Items of each user to return"}
    },
    "additionalProperties": false
   },
   "FoundUsers": {
    "type": "object",
    "properties": {
     "users": {"type": "array", "items": {"type": "string"}},
     "seen": {"type": "array", "items": {"type": "integer"}, "description": "How many items each history holds"},
     "histories": {
      "type": "array",
      "items": {"type": "array", "items": {"type": "string"}},
      "description": "The latest of each history, the latest last"
     },
     "model": {"type": "string", "description": "The bundle's fingerprint"}
    },
    "required": ["users", "seen", "model"],
    "additionalProperties": false
   },
   "Catalogue": {
    "type": "object",
    "properties": {
     "name": {"type": "string", "description": "Of the bundle's file"},
     "items": {"type": "integer"},
     "training_rows": {"type": "integer"},
     "title": {"type": "string", "nullable": true, "description": "The attribute that names an item for a person"},
     "compare": {"type": "boolean", "description": "There is a second model, whose calls begin with /compare"},
     "beside": {"type": "boolean", "deprecated": true, "description": "The former name of compare"},
     "popularity": {
      "type": "array",
      "description": "The items cut by popularity, the most popular first; empty where nothing is known of it",
      "items": {
       "type": "object",
       "properties": {
        "bucket": {"type": "string"},
        "least_count": {"type": "integer", "description": "Training rows of the least popular item in it"},
        "items": {"type": "integer"},
        "rows": {"type": "integer", "description": "Training rows of all of them"}
       },
       "required": ["bucket", "least_count", "items", "rows"],
       "additionalProperties": false
      }
     },
     "map": {
      "type": "object",
      "description": "A vector's point is its difference from the centre along both axes",
      "properties": {
       "items": {"type": "array", "items": {"type": "string"}, "description": "A sample, evenly spread"},
       "points": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
       "centre": {"type": "array", "items": {"type": "number"}},
       "axes": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
       "length": {"type": "number", "description": "Mean length of the items' vectors"},
       "variance": {"type": "number", "description": "The share of the items' variance that the plane holds"}
      },
      "required": ["items", "points", "centre", "axes", "length", "variance"],
      "additionalProperties": false
     },
     "model": {"type": "string", "description": "The bundle's fingerprint"}
    },
    "required": ["name", "items", "training_rows", "title", "compare", "popularity", "map", "model"],
    "additionalProperties": false
   },
   "UpsertRequest": {
    "type": "object",
    "properties": {"items": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/NewItem"}}},
    "required": ["items"],
    "additionalProperties": false
   },
   "DeleteRequest": {
    "type": "object",
    "properties": {"items": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Id"}}},
    "required": ["items"],
    "additionalProperties": false
   },
   "Changed": {
    "type": "object",
    "properties": {"items": {"type": "integer", "description": "How many changes were made; they are searchable now"}},
    "required": ["items"],
    "additionalProperties": false
   },
   "Event": {
    "type": "object",
    "properties": {
     "user": {"$ref": "#/components/schemas/Id"},
     "item": {"$ref": "#/components/schemas/Id"},
     "time": {
      "description": "ISO 8601, or a number since 1970; otherwise now",
      "oneOf": [{"type": "string"}, {"type": "number"}]
     },
     "event": {"type": "string", "description": "Its kind, of those of GET /v1/model; otherwise a positive one"},
     "context": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Value"}},
     "id": {
      "description": "Of the event: sent again, it counts once",
      "oneOf": [{"type": "string"}, {"type": "integer"}]
     }
    },
    "required": ["user", "item"],
    "additionalProperties": false
   },
   "EventsRequest": {
    "type": "object",
    "properties": {"events": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Event"}}},
    "required": ["events"],
    "additionalProperties": false
   },
   "TakenEvents": {
    "type": "object",
    "properties": {
     "events": {"type": "integer", "description": "All of the request; they are on disk and count now"},
     "repeated": {"type": "integer", "description": "Of these, sent before"},
     "unknown_items": {"type": "integer", "description": "Of these, with an item that is not in the catalogue"}
    },
    "required": ["events"],
    "additionalProperties": false
   },
   "Candidates": {
    "type": "object",
    "properties": {
     "user_known": {"type": "boolean"},
     "live": {"type": "boolean", "description": "False: the latest of the user's events may be missing"},
     "items": {"type": "array", "items": {"type": "string"}},
     "scores": {"type": "array", "items": {"type": "number"}, "description": "Parallel to the items, best first"},
     "attributes": {"type": "array", "items": {"type": "object", "additionalProperties": {}}},
     "model": {"type": "string", "description": "The bundle's fingerprint"},
     "explain": {"$ref": "#/components/schemas/Explain"}
    },
    "required": ["user_known", "items", "scores", "model"],
    "additionalProperties": false
   },
   "CandidatesOfABatch": {
    "type": "object",
    "properties": {"answers": {"type": "array", "items": {"$ref": "#/components/schemas/Candidates"}}},
    "required": ["answers"],
    "additionalProperties": false
   },
   "SimilarItems": {
    "type": "object",
    "properties": {
     "items": {"type": "array", "items": {"type": "string"}},
     "scores": {"type": "array", "items": {"type": "number"}, "description": "Parallel to the items, best first"},
     "attributes": {"type": "array", "items": {"type": "object", "additionalProperties": {}}},
     "model": {"type": "string", "description": "The bundle's fingerprint"}
    },
    "required": ["items", "scores", "model"],
    "additionalProperties": false
   },
   "Vectors": {
    "type": "object",
    "properties": {
     "vectors": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
     "model": {"type": "string", "description": "The bundle's fingerprint"}
    },
    "required": ["vectors", "model"],
    "additionalProperties": false
   },
   "Explain": {
    "type": "object",
    "properties": {
     "plan": {"type": "string"},
     "selectivity": {"type": "number"},
     "lists_probed": {"type": "integer"},
     "vectors_scored": {"type": "integer"},
     "vectors_reranked": {"type": "integer"},
     "boosted": {"type": "integer", "description": "Items that the model's neighbours add to"},
     "live_events": {"type": "integer", "description": "Of /v1/events that the user's vector knows of"},
     "times_ms": {"type": "object", "additionalProperties": {"type": "number"}}
    },
    "additionalProperties": true
   },
   "Model": {
    "type": "object",
    "properties": {
     "fingerprint": {"type": "string"},
     "info": {"type": "object"},
     "index": {"type": "string"},
     "context": {"type": "array", "items": {"type": "string"}},
     "features": {"type": "array", "items": {"type": "string"}},
     "events": {"type": "array", "items": {"type": "string"}},
     "attributes": {"type": "object", "additionalProperties": {"type": "string"}},
     "metrics": {"type": "object", "nullable": true},
     "config": {"type": "string"}
    },
    "required": ["fingerprint", "info", "index"],
    "additionalProperties": true
   },
   "Error": {
    "type": "object",
    "properties": {
     "error": {
      "type": "object",
      "properties": {
       "kind": {"type": "string"},
       "message": {"type": "string"},
       "field": {"type": "string", "description": "What of the request is wrong; empty when it is the whole"}
      },
      "required": ["kind", "message", "field"],
      "additionalProperties": false
     }
    },
    "required": ["error"],
    "additionalProperties": false
   }
  },
  "responses": {
   "400": {
    "description": "The request is wrong",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
   },
   "401": {
    "description": "No API key, or an unknown one",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
   },
   "403": {
    "description": "The key's role does not allow the call",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
   },
   "404": {
    "description": "The server was started without --ui",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
   },
   "413": {
    "description": "The body is too large",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
   },
   "429": {
    "description": "The queue is too long",
    "headers": {"Retry-After": {"schema": {"type": "integer"}}},
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
   },
   "503": {
    "description": "The server is shutting down, or another process changes the items or takes the events",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
   },
   "504": {
    "description": "The deadline passed",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
   }
  },
  "securitySchemes": {
   "key": {"type": "http", "scheme": "bearer"},
   "key_field": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}
  }
 }
}
)json";

// `whole` with only the given properties.
Json part_of(Json whole, const auto& keep) {
  Json properties = Json::object();
  for (const auto& [name, schema] : whole["properties"].items())
    if (keep(name)) properties[name] = schema;
  whole["properties"] = properties;
  return whole;
}

Json content(const std::string& schema) {
  return {{"application/json", {{"schema", {{"$ref", "#/components/schemas/" + schema}}}}}};
}

std::string complete() {
  auto document = Json::parse(kDocument);
  Json paths = Json::object();
  for (const auto& post : kPosts) {
    auto& call = paths[post.path]["post"];
    call = {{"summary", post.summary},
            {"requestBody", {{"required", true}, {"content", content(post.request)}}},
            {"responses", {{"200", {{"description", "The answer"}, {"content", content(post.answer)}}}}}};
    if (post.ui) call["responses"]["404"] = {{"$ref", "#/components/responses/404"}};
  }
  paths.update(document["paths"]);
  document["paths"] = paths;
  auto& schemas = document["components"]["schemas"];
  const Json request = schemas["RetrieveRequest"];  // a copy, because adding to an ordered object moves its values
  schemas["User"] =
      part_of(request, [](const std::string& name) { return std::ranges::count(retrieval::kUserKeys, name) > 0; });
  schemas["RequestOfABatch"] = part_of(request, [](const std::string& name) { return name != "timeout_ms"; });
  for (auto& [path, calls] : document["paths"].items())
    for (auto& [method, call] : calls.items())
      for (const auto& [status, error] : document["components"]["responses"].items()) {
        const bool refusal = status == "401" || status == "403";
        if (refusal ? !call.contains("security") : method == "post" && status != "404")
          call["responses"][status] = {{"$ref", "#/components/responses/" + status}};
      }
  return document.dump(1);
}

}  // namespace

// tests/test_cli_serve.py compares it with what the server does.
std::string_view openapi_document() {
  static const std::string document = complete();
  return document;
}

}  // namespace pagoda::server
