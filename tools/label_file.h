// Reads class names, one a line.
#ifndef CSSRUN_TOOLS_LABEL_FILE_H_
#define CSSRUN_TOOLS_LABEL_FILE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cssrun/status.h"

namespace cssrun::tools {

// Splits the text into lines, which end with LF, CR LF or CR. Empty lines at the end do not count,
// nor do blanks at the end of a line and a byte order mark at the beginning.
std::vector<std::string> ParseLabels(std::string_view text);

// Errors: kIo where `path` is no regular file of at most 16 MiB or cannot be read; kInvalidArgument
// where it is in UTF-16.
Result<std::vector<std::string>> ReadLabels(const std::string& path);

// Returns for each class the first one that has its name. Some sets have two classes of one name
// (ImageNet's cranes are birds and machines), and a folder's name then stands for either.
std::vector<size_t> FirstOfEachName(const std::vector<std::string>& labels);

// The classes that have the name of another.
class Twins {
 public:
  explicit Twins(const std::vector<std::string>& labels) : first_(FirstOfEachName(labels)) {}

  // Returns the class with the largest logit of those that have the name of class `truth`, by which
  // an image of that name is graded. A negative truth, which is not known, stays.
  int Best(const std::vector<float>& logits, int truth) const;

 private:
  std::vector<size_t> first_;
};

// Says that there are such names, and which; "" where there are none.
std::string DescribeTwins(const std::vector<std::string>& labels);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_LABEL_FILE_H_
