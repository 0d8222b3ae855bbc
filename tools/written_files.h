// The files that options ask a program to write at its end.
#ifndef CSSRUN_TOOLS_WRITTEN_FILES_H_
#define CSSRUN_TOOLS_WRITTEN_FILES_H_

#include <string>
#include <vector>

#include "cssrun/status.h"

namespace cssrun::tools {

struct WrittenFile {
  std::string option;  // such as --summary
  std::string path;    // empty: not asked for
};

// Says before a long run what could not be written after it: kIo as format::CheckWritable, and
// kInvalidArgument for "-", which would be a file of that name.
Status CheckWrittenFiles(const std::vector<WrittenFile>& files);

// Writes all of it or nothing, see format::WriteFileAtomically.
Status WriteText(const std::string& path, const std::string& text);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_WRITTEN_FILES_H_
