// Replaces a file such that a reader sees either the old file or the complete new one.
#ifndef CSSRUN_FORMAT_WRITE_ATOMICALLY_H_
#define CSSRUN_FORMAT_WRITE_ATOMICALLY_H_

#include <cstdint>
#include <span>
#include <string>

#include "cssrun/status.h"

namespace cssrun::format {

// Writes a temporary file in the folder of `path`, syncs it, renames it over `path` and syncs the
// folder. On an error (kIo) the temporary file is removed and `path` is unchanged. The new file has
// the permissions of any new file (0666 without the bits of the umask), not those of the old one.
// A link is followed. A device, a pipe and an open file, such as /dev/stdout, are written to as
// they are: nothing may take their place, and what was written there stays.
//
// Threads: one call at a time, because reading the umask sets it for a moment.
Status WriteFileAtomically(const std::string& path, std::span<const uint8_t> bytes);

// Whether WriteFileAtomically has a chance, before there are bytes that took long to make: kIo if
// `path` is a folder, or is in none that can be written to.
Status CheckWritable(const std::string& path);

}  // namespace cssrun::format

#endif  // CSSRUN_FORMAT_WRITE_ATOMICALLY_H_
