// What a stream has learnt, and where it goes on: the folder OUTPUT.stream.
//
//   position        section file of kind "stream", version 1; its section `position` is JSON
//   model-0.pagoda, model-1.pagoda, each with its .state: the models after the last segments, of even and odd number
//
// The position is renamed into place after the model that it names has been written: whenever the program is killed, the
// last position and its model belong together, and each event has been learnt once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "columns/time_form.h"
#include "stream/event_order.h"

namespace pagoda::stream {

struct Checkpoint {
  uint64_t segments = 0;  // that were learnt; the model is that of the last
  uint64_t steps = 0;     // of the model
  double seconds = 0;     // of learning, over all runs
  Standing standing;
  columns::TimeForm times;      // in which times are read
  std::vector<double> recalls;  // of the latest segments that were judged
  uint64_t published = 0;       // segments that the last published model has learnt; 0: none yet
};

std::string stream_folder(const std::string& output);  // OUTPUT.stream
// The model of a checkpoint, in its folder.
std::string model_path(const std::string& folder, uint64_t segments);

// Nothing if the folder has none. Error{failed}: damaged, or of a newer version.
std::optional<Checkpoint> load_checkpoint(const std::string& folder);
void save_checkpoint(const std::string& folder, const Checkpoint& checkpoint);

}  // namespace pagoda::stream
