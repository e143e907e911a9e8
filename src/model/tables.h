// Attributes and cells to and from the bytes of a bundle's sections; vectors of a table to and from sections of a file.
#pragma once

#include <memory>
#include <vector>

#include "core/bytes.h"
#include "core/section_file.h"
#include "data/attributes.h"
#include "features/user_encoder.h"

namespace pagoda::model {

// The columns, not the vectors. Loading: Error{failed} naming the section when columns and rows do not fit together.
void save_attributes(ByteWriter& out, const data::Attributes& attributes);
data::Attributes load_attributes(ByteReader& in);
void save_cells(ByteWriter& out, const features::EncodedUsers& cells);
features::EncodedUsers load_cells(ByteReader& in, const features::UserEncoder& encoder);  // fit for this encoder

using VectorColumns = std::vector<std::shared_ptr<const columns::VectorColumn>>;

// Sections "item_vectors/NAME" (u64 n, u64 width, the f32 of n vectors) and "item_vector_rows/NAME" (u32 for each row
// of the table: its vector, or 2^32 - 1). Loaded columns borrow the file, which they keep open.
void save_vectors(SectionWriter& out, const VectorColumns& columns);
VectorColumns load_vectors(const std::shared_ptr<const SectionFile>& in);

}  // namespace pagoda::model
