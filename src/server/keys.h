// API keys and their roles.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pagoda::server {

// `anonymous` calls need no key. `metrics` reads /metrics and nothing else; of the other roles each may do what those
// before it may, and `admin` everything.
enum class Role { anonymous, metrics, read, write, admin };

// Whether a key of the role `has` may make a call that needs the role `needed`.
bool may(Role has, Role needed);

// A file of API keys, one a line:
//
//   2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae read shop
//
// the SHA-256 of the key in hexadecimal, its role (read, write, admin or metrics), and a name for people. Blank lines
// and those that begin with # are ignored. Keys are long random texts (`openssl rand -hex 32`), so a plain hash
// protects them. Immutable.
class Keys {
 public:
  Keys() = default;  // no keys: everybody may do everything
  // Error{usage}, naming the line: it is none, or gives a key a second role; Error{input}: no such file.
  static Keys from_file(const std::string& path);

  bool none() const { return keys_.empty(); }
  // The role of a key; `anonymous` for one that is not in the file. Takes the same time for every key.
  Role role_of(std::string_view key) const;

 private:
  struct Key {
    std::array<uint8_t, 32> hash;
    Role role;
  };
  std::vector<Key> keys_;
};

}  // namespace pagoda::server
