// Attributes and cells to and from the bytes of a bundle's sections.
#pragma once

#include "core/bytes.h"
#include "data/attributes.h"
#include "features/user_encoder.h"

namespace pagoda {

// Loading: Error{failed} naming the section when columns and rows do not fit together.
void save_attributes(ByteWriter& out, const Attributes& attributes);
Attributes load_attributes(ByteReader& in);
void save_cells(ByteWriter& out, const UserCells& cells);
UserCells load_cells(ByteReader& in, const UserEncoder& encoder);  // fit for this encoder

}  // namespace pagoda
