// Row numbers as distinct types, so that a user's row can not be taken for an item's.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pagoda {

enum class UserRow : uint32_t {};  // a user's row in the interaction log's user list
enum class ItemRow : uint32_t {};  // an item's row in the catalogue; also the order that breaks ties of score

inline constexpr UserRow kUnknownUser{UINT32_MAX};
inline constexpr ItemRow kUnknownItem{UINT32_MAX};

// Widened before it is multiplied by a row's width.
constexpr size_t index_of(UserRow row) { return static_cast<size_t>(row); }
constexpr size_t index_of(ItemRow row) { return static_cast<size_t>(row); }

}  // namespace pagoda
