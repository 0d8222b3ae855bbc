// Reads class names, one a line.
#ifndef CSSRUN_TOOLS_LABEL_FILE_H_
#define CSSRUN_TOOLS_LABEL_FILE_H_

#include <string>
#include <string_view>
#include <vector>

#include "cssrun/status.h"

namespace cssrun::tools {

// Splits the text into lines with either kind of line end. Empty lines at the end do not count.
std::vector<std::string> ParseLabels(std::string_view text);

// Error: kIo where `path` is no regular file of at most 16 MiB or cannot be read.
Result<std::vector<std::string>> ReadLabels(const std::string& path);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_LABEL_FILE_H_
