#include "server/keys.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "core/error.h"
#include "core/file.h"
#include "core/suggest.h"

namespace pagoda::server {
namespace {

constexpr size_t kHexDigits = 2 * SHA256_DIGEST_LENGTH;

bool read_hash(const std::string& text, std::array<uint8_t, SHA256_DIGEST_LENGTH>& hash) {
  if (text.size() != kHexDigits) return false;
  for (size_t i = 0; i < hash.size(); ++i) {
    const char* at = text.data() + 2 * i;
    if (std::from_chars(at, at + 2, hash[i], 16).ptr != at + 2) return false;
  }
  return true;
}

}  // namespace

bool may(Role has, Role needed) {
  if (needed == Role::metrics) return has == Role::metrics || has == Role::admin;
  return has >= needed;
}

Keys Keys::from_file(const std::string& path) {
  static const std::vector<std::string> roles{"metrics", "read", "write", "admin"};
  Keys keys;
  std::istringstream lines(read_file(path));
  std::string line;
  for (size_t number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line);
    std::string hash, role;
    words >> hash >> role;
    if (hash.empty() || hash[0] == '#') continue;
    Key key{};
    if (!read_hash(hash, key.hash))
      fail(ErrorKind::usage, "{}:{}: a line must begin with the SHA-256 of a key, {} hexadecimal digits", path, number,
           kHexDigits);
    const auto found = std::find(roles.begin(), roles.end(), role);
    if (found == roles.end())
      fail(ErrorKind::usage, "{}:{}: '{}' is not a role{}", path, number, role, suggestion(role, roles));
    key.role = static_cast<Role>(1 + (found - roles.begin()));
    const auto above = std::ranges::find(keys.keys_, key.hash, &Key::hash);
    if (above != keys.keys_.end() && above->role != key.role)
      fail(ErrorKind::usage, "{}:{}: a line above gives this key another role; a key has one", path, number);
    keys.keys_.push_back(key);
  }
  if (keys.none()) fail(ErrorKind::usage, "{}: holds no key; leave serve.keys empty to let everybody in", path);
  return keys;
}

Role Keys::role_of(std::string_view key) const {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> hash;
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), hash.data());
  Role role = Role::anonymous;
  for (const auto& known : keys_)
    if (CRYPTO_memcmp(known.hash.data(), hash.data(), hash.size()) == 0) role = known.role;
  return role;
}

}  // namespace pagoda::server
