// Reads weights that an ONNX model keeps in files beside itself.
//
// The location of such a file is text from an untrusted model; ONNX's own loader let it escape the
// model's folder three times (CVE-2022-25882, CVE-2024-27318, CVE-2026-27489). Here every part of
// the path is opened relative to the folder before it and without following links, so that nobody
// can change the path between a check and its use.
#ifndef CSSRUN_CONVERTER_EXTERNAL_DATA_H_
#define CSSRUN_CONVERTER_EXTERNAL_DATA_H_

#include <cstdint>
#include <string>
#include <vector>

#include "cssrun/status.h"

namespace cssrun::converter {

// Returns bytes [offset, offset + length) of the regular file `location`, a relative path inside
// `folder` without "..". Errors: kBadModel for a location or range that is not allowed, kIo when
// the system cannot read it.
Result<std::vector<uint8_t>> ReadExternalData(const std::string& folder,
                                              const std::string& location, uint64_t offset,
                                              uint64_t length);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_EXTERNAL_DATA_H_
