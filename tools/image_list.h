// Which images a command line names, and which class each shows.
#ifndef CSSRUN_TOOLS_IMAGE_LIST_H_
#define CSSRUN_TOOLS_IMAGE_LIST_H_

#include <istream>
#include <string>
#include <vector>

#include "cssrun/status.h"

namespace cssrun::tools {

constexpr int kUnknownTruth = -1;

struct ImageFile {
  std::string path;
  int truth = kUnknownTruth;  // index among the labels
};

// Expands `paths`: a file is itself; a folder is all images in it and below (.jpg .jpeg .png .ppm
// .pgm, in any case), sorted bytewise by path, hidden names and links to folders left out; "-" is a
// list on `standard_input`, one path a line. Inside a folder that was named, the nearest folder
// whose name is a label tells the truth about an image: by name, never by position. Error: kIo when
// a path does not exist or a folder cannot be read.
Result<std::vector<ImageFile>> ListImages(const std::vector<std::string>& paths,
                                          const std::vector<std::string>& labels,
                                          std::istream& standard_input);

// A list of paths, each ended by `separator`; the last may go without.
std::vector<std::string> ReadPaths(std::istream& list, char separator);

// Class names, one a line; empty lines at the end do not count. Error: kIo.
Result<std::vector<std::string>> ReadLabels(const std::string& path);

// The names of the folders directly inside `folder`, sorted bytewise.
Result<std::vector<std::string>> FolderNames(const std::string& folder);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_IMAGE_LIST_H_
