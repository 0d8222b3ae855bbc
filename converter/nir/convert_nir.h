// NIR file to the bytes of net.fb.
#ifndef CSSRUN_CONVERTER_NIR_CONVERT_NIR_H_
#define CSSRUN_CONVERTER_NIR_CONVERT_NIR_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "converter/nir/hdf5_tree.h"
#include "converter/nir/reading.h"
#include "cssrun/limits.h"
#include "cssrun/status.h"
#include "flatbuffers/flatbuffers.h"

namespace cssrun::converter {

struct NirConversion {
  flatbuffers::DetachedBuffer bytes;  // net.fb
  std::string report;                 // for people: layers, and what was assumed
};

// Converts the file `bytes`, called `path` in messages. `labels`: one per output, or none. Errors:
// kBadModel, which begins with the path; kInvalidArgument on wrong options; kOutOfMemory.
Result<NirConversion> ConvertNir(std::span<const uint8_t> bytes, const std::string& path,
                                 const NirOptions& options, const std::vector<std::string>& labels,
                                 const NetworkLimits& limits);

// The same, of what the file holds; `sha256` is that of the file.
Result<NirConversion> ConvertNirTree(const Hdf5Group& root, const std::string& sha256,
                                     const std::string& path, const NirOptions& options,
                                     const std::vector<std::string>& labels,
                                     const NetworkLimits& limits);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NIR_CONVERT_NIR_H_
