// SHA-256, by which a network file identifies the model that it was made from.
#ifndef CSSRUN_CONVERTER_SHA256_H_
#define CSSRUN_CONVERTER_SHA256_H_

#include <cstdint>
#include <span>
#include <string>

namespace cssrun::converter {

// Returns 64 hexadecimal digits.
std::string Sha256(std::span<const uint8_t> bytes);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_SHA256_H_
