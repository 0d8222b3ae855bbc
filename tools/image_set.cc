#include "tools/image_set.h"

#include <cstdint>
#include <iostream>
#include <utility>

#include "tools/image_io.h"
#include "tools/image_list.h"
#include "tools/label_file.h"

namespace cssrun::tools {
namespace {

constexpr size_t kNamed = 3;

std::string Counted(size_t count, size_t all, const std::string& folder, const char* what) {
  return folder + ": " + std::to_string(count) + " of " + std::to_string(all) + " images " + what;
}

// What is to be said of the folder, in the order of weight.
std::vector<std::string> NotesOn(const std::string& folder, size_t files, const LeftOut& left_out,
                                 size_t failed, const std::vector<std::string>& failures,
                                 size_t warned, const std::string& warning) {
  std::vector<std::string> notes;
  if (failed > 0) {
    std::string note = Counted(failed, files, folder, "cannot be read and are left out:");
    for (const std::string& failure : failures) note += "\n  " + failure;
    if (failed > failures.size()) note += "\n  ...";
    notes.push_back(std::move(note));
  }
  if (warned > 0) {
    notes.push_back(Counted(warned, files, folder, "were read with warnings, the first: ") +
                    warning);
  }
  const std::string left = DescribeLeftOut(left_out);
  if (!left.empty()) notes.push_back(folder + ": " + left);
  return notes;
}

}  // namespace

Result<std::vector<std::string>> ReadImageSet(
    const std::string& folder, const std::vector<std::string>& labels, const InputFormat& format,
    const ImageLimits& limits, const std::function<void(size_t done, size_t total)>& progress,
    converter::ImageSet& images) {
  LeftOut left_out;
  Result<std::vector<ImageFile>> listed = ListImages({folder}, labels, std::cin, &left_out);
  if (!listed.ok()) return listed.status();
  const std::vector<ImageFile>& files = listed.value();
  if (files.empty()) {
    const std::string left = DescribeLeftOut(left_out);
    return Status::InvalidArgument(folder + ": no images (" + kReadKinds + ") in it" +
                                   (left.empty() ? "" : "; " + left));
  }
  images.first_of_name = FirstOfEachName(labels);
  std::vector<std::string> failures;
  size_t failed = 0;
  size_t warned = 0;
  std::string first_warning;
  for (const ImageFile& file : files) {
    std::vector<uint8_t> pixels;
    std::string warning;
    const Status status = ReadPixels(file.path, format, pixels, limits, &warning);
    if (!warning.empty() && warned++ == 0) first_warning = file.path + ": " + warning;
    if (status.ok()) {
      images.pixels.push_back(std::move(pixels));
      images.truth.push_back(file.truth);
    } else if (++failed <= kNamed) {
      failures.push_back(status.message());
    }
    progress(images.pixels.size() + failed, files.size());
  }
  // A network calibrated on some of the wanted images is as good as on all, but not on a few.
  if (2 * failed > files.size()) {
    return Status::Io(
        Counted(failed, files.size(), folder, "cannot be read, more than half; the first: ") +
        failures.front());
  }
  return NotesOn(folder, files.size(), left_out, failed, failures, warned, first_warning);
}

Result<std::vector<std::string>> GuessLabels(const std::string& folder, size_t classes) {
  Result<std::vector<std::string>> folders = FolderNames(folder);
  if (folders.ok() && folders.value().size() != classes) folders.value().clear();
  return folders;
}

}  // namespace cssrun::tools
