// Strings, attributes and cells to and from the bytes of a bundle's sections.
#pragma once

#include "core/bytes.h"
#include "data/attributes.h"
#include "features/user_encoder.h"

namespace pagoda {

void save_strings(ByteWriter& out, const Interner& strings);
Interner load_strings(ByteReader& in);
void save_attributes(ByteWriter& out, const Attributes& attributes);
Attributes load_attributes(ByteReader& in);
void save_cells(ByteWriter& out, const UserCells& cells);
UserCells load_cells(ByteReader& in);

}  // namespace pagoda
