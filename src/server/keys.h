// Who may call what.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pagoda::server {

// Each may do what those before it may. `open` is what nobody needs a key for.
enum class Role { anonymous, read, write, admin };

// A file of API keys, a line each:
//
//   2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae read shop
//
// the SHA-256 of the key in hexadecimal, its role (read, write or admin), and a name for people. Blank lines and those
// that begin with # are passed over. Keys are long random texts (`openssl rand -hex 32`), so a plain hash protects them.
// Immutable.
class Keys {
 public:
  Keys() = default;                                // none: everybody may do everything
  static Keys from_file(const std::string& path);  // Error{usage}, naming the line; Error{input}: no such file

  bool none() const { return keys_.empty(); }
  // The role of who brings that key: `open` for one that is not in the file. Takes as long for any key.
  Role role_of(std::string_view key) const;

 private:
  struct Key {
    std::array<uint8_t, 32> hash;
    Role role;
  };
  std::vector<Key> keys_;
};

}  // namespace pagoda::server
