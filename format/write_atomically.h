// Replacing a file so that a reader sees the old one or the complete new one, never a part.
#ifndef CSSRUN_FORMAT_WRITE_ATOMICALLY_H_
#define CSSRUN_FORMAT_WRITE_ATOMICALLY_H_

#include <cstdint>
#include <span>
#include <string>

#include "cssrun/status.h"

namespace cssrun::format {

// Writes a temporary file in the folder of `path`, syncs it, renames it over `path` and syncs the
// folder. On an error (kIo) the temporary file is removed and `path` is as it was. Existing
// permissions of `path` are not kept: the new file has those of any new file (0666 less the umask).
Status WriteFileAtomically(const std::string& path, std::span<const uint8_t> bytes);

}  // namespace cssrun::format

#endif  // CSSRUN_FORMAT_WRITE_ATOMICALLY_H_
