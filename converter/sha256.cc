#include "converter/sha256.h"

#include <sha2.h>

namespace cssrun::converter {

std::string Sha256(std::span<const uint8_t> bytes) {
  char hex[SHA256_DIGEST_STRING_LENGTH];
  SHA256Data(bytes.data(), bytes.size(), hex);
  return hex;
}

}  // namespace cssrun::converter
