#include "tools/written_files.h"

#include <cstdint>

#include "format/write_atomically.h"

namespace cssrun::tools {

Status CheckWrittenFiles(const std::vector<WrittenFile>& files) {
  for (const WrittenFile& file : files) {
    if (file.path.empty()) continue;
    if (file.path == "-") {
      return Status::InvalidArgument(file.option +
                                     " -: name a file; /dev/stdout is standard output, ./- a file "
                                     "of this name");
    }
    if (Status status = format::CheckWritable(file.path); !status.ok()) return status;
  }
  return Status::Ok();
}

Status WriteText(const std::string& path, const std::string& text) {
  return format::WriteFileAtomically(path,
                                     {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

}  // namespace cssrun::tools
