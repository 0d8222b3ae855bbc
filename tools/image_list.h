// Lists the images that a command line names, and the class that each shows.
#ifndef CSSRUN_TOOLS_IMAGE_LIST_H_
#define CSSRUN_TOOLS_IMAGE_LIST_H_

#include <cstddef>
#include <istream>
#include <map>
#include <string>
#include <vector>

#include "cssrun/status.h"

namespace cssrun::tools {

constexpr int kUnknownTruth = -1;

struct ImageFile {
  std::string path;
  int truth = kUnknownTruth;  // index among the labels
};

// What is read, for messages.
inline constexpr char kReadKinds[] = "JPEG, PNG, WebP, BMP, PPM, PGM, PBM";

// How many images of a folder are not listed because their kind is not read, by extension in small
// letters (".tif"; "" where there is none). Hidden files do not count, nor what is no image.
using LeftOut = std::map<std::string, size_t>;

// Says that images were left out, and how to have them read; "" where there are none.
std::string DescribeLeftOut(const LeftOut& left_out);

// Expands `paths`. A file stands for itself. A folder stands for all images in and below it, which
// their extensions tell (those of kReadKinds, in any case), sorted bytewise by path, without hidden
// names and links to folders. `left_out`, if not null, counts the images that are not among them.
// "-" is a list on `standard_input`, one path a line. For an image inside a named folder, the
// nearest folder whose name is a label gives the class; the position of a folder never matters.
// Error: kIo when a path does not exist or a folder cannot be read.
Result<std::vector<ImageFile>> ListImages(const std::vector<std::string>& paths,
                                          const std::vector<std::string>& labels,
                                          std::istream& standard_input,
                                          LeftOut* left_out = nullptr);

// Extensions of recordings of event cameras, for messages.
inline constexpr char kRecordingExtensions[] = ".aedat, .aedat4, .bin, .csv, .dat, .raw";
// Whether a file has one of them, in any case.
bool IsRecordingName(const std::string& path);

// The same for recordings of events, which those extensions tell in folders. "-" stands for itself.
Result<std::vector<ImageFile>> ListRecordings(const std::vector<std::string>& paths,
                                              const std::vector<std::string>& labels);

// Reads a list of paths, each ended by `separator`, which the last may lack. Messages use `name`
// for the list. Error: kIo where the list cannot be read, or holds an entry longer than any path.
Result<std::vector<std::string>> ReadPaths(std::istream& list, char separator,
                                           const std::string& name);

// Reads the same list from a file or a pipe. Devices are refused, because they may never end.
Result<std::vector<std::string>> ReadPathsFrom(const std::string& file, char separator);

// Returns the names of the folders directly inside `folder`, sorted bytewise.
Result<std::vector<std::string>> FolderNames(const std::string& folder);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_IMAGE_LIST_H_
