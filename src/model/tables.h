// Attributes and cells to and from the bytes of a bundle's sections.
#pragma once

#include "core/bytes.h"
#include "data/attributes.h"
#include "features/user_encoder.h"

namespace pagoda::model {

// Loading: Error{failed} naming the section when columns and rows do not fit together.
void save_attributes(ByteWriter& out, const data::Attributes& attributes);
data::Attributes load_attributes(ByteReader& in);
void save_cells(ByteWriter& out, const features::EncodedUsers& cells);
features::EncodedUsers load_cells(ByteReader& in, const features::UserEncoder& encoder);  // fit for this encoder

}  // namespace pagoda::model
