#include "tools/image_list.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "tools/file_kinds.h"

namespace cssrun::tools {
namespace {

namespace fs = std::filesystem;

using LabelIndex = std::unordered_map<std::string, int>;

Status IoError(const std::string& path, const std::error_code& error) {
  return Status::Io(path + ": " + error.message());
}

bool IsHidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

std::string ExtensionOf(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

template <size_t count>
bool IsAmong(const std::array<std::string_view, count>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

bool IsRead(const std::string& extension) {
  static constexpr auto kRead =
      std::to_array<std::string_view>({".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".png", ".apng",
                                       ".webp", ".bmp", ".dib", ".ppm", ".pgm", ".pbm", ".pnm"});
  return IsAmong(kRead, extension);
}

bool IsRecording(const std::string& extension) {
  static constexpr auto kRecordings = std::to_array<std::string_view>(
      {".aedat", ".aedat2", ".aedat4", ".bin", ".csv", ".dat", ".raw"});
  return IsAmong(kRecordings, extension);
}

// Whether a file that is not read is an image: by its extension, or by its first bytes where the
// extension says nothing.
bool IsUnreadImage(const fs::path& path, const std::string& extension) {
  static constexpr auto kUnread = std::to_array<std::string_view>(
      {".arw", ".avif", ".avifs", ".cr2", ".cr3", ".dds",  ".dng", ".exr", ".gif",
       ".hdr", ".heic", ".heif",  ".hif", ".ico", ".j2k",  ".jp2", ".jpf", ".jpx",
       ".jxl", ".nef",  ".orf",   ".pam", ".pcx", ".pfm",  ".psd", ".qoi", ".raf",
       ".raw", ".rw2",  ".svg",   ".tga", ".tif", ".tiff", ".xcf"});
  return IsAmong(kUnread, extension) || IsImage(RecognizeFile(BeginOf(path.string())));
}

// Returns the class of an image; `relative` is its path below the folder that the user named.
int TruthOf(const fs::path& relative, const LabelIndex& labels) {
  for (fs::path folder = relative.parent_path(); !folder.empty(); folder = folder.parent_path()) {
    const auto found = labels.find(folder.filename().string());
    if (found != labels.end()) return found->second;
  }
  return kUnknownTruth;
}

Status ListFolder(const std::string& folder, const LabelIndex& labels,
                  bool (*is_listed)(const std::string& extension), std::vector<ImageFile>& images,
                  LeftOut* left_out) {
  std::error_code error;
  std::vector<ImageFile> found;
  // Links to folders are not followed, so a loop of links ends.
  for (fs::recursive_directory_iterator entry(folder, error), end; entry != end;
       entry.increment(error)) {
    if (error) return IoError(folder, error);
    if (IsHidden(entry->path())) {
      entry.disable_recursion_pending();
      continue;
    }
    std::error_code ignored;
    if (entry->is_directory(ignored)) continue;
    const std::string extension = ExtensionOf(entry->path());
    if (!is_listed(extension)) {
      // Pipes and devices are not opened.
      const bool counts = left_out != nullptr && entry->is_regular_file(ignored) &&
                          IsUnreadImage(entry->path(), extension);
      if (counts) ++(*left_out)[extension];
      continue;
    }
    const fs::path relative = entry->path().lexically_relative(folder);
    found.push_back({entry->path().string(), TruthOf(relative, labels)});
  }
  if (error) return IoError(folder, error);
  std::sort(found.begin(), found.end(),
            [](const ImageFile& a, const ImageFile& b) { return a.path < b.path; });
  std::move(found.begin(), found.end(), std::back_inserter(images));
  return Status::Ok();
}

}  // namespace

std::string DescribeLeftOut(const LeftOut& left_out) {
  size_t count = 0;
  std::string kinds;
  for (const auto& [extension, times] : left_out) {
    count += times;
    if (!kinds.empty()) kinds += ", ";
    kinds += std::to_string(times) + " " + (extension.empty() ? "without extension" : extension);
  }
  if (count == 0) return {};
  return std::to_string(count) + (count == 1 ? " image is" : " images are") +
         " left out of the folders, because such files are not listed (" + kinds +
         "); make PNGs of them: mogrify -format png FILES (ImageMagick)";
}

Result<std::vector<std::string>> ReadPaths(std::istream& list, char separator,
                                           const std::string& name) {
  // Linux opens no longer paths. The limit keeps a file that is not a list from being read to its
  // end.
  constexpr size_t kLongestPath = 4096;
  std::vector<std::string> paths;
  std::string path;
  for (std::istreambuf_iterator<char> byte(list), end; byte != end; ++byte) {
    if (*byte == separator) {
      if (!path.empty()) paths.push_back(std::move(path));
      path.clear();
    } else if (path.size() == kLongestPath) {
      return Status::Io(name + ": path " + std::to_string(paths.size() + 1) +
                        " is longer than 4096 bytes; is this a list of paths?");
    } else {
      path += *byte;
    }
  }
  if (list.bad()) return Status::Io(name + ": cannot read");
  if (!path.empty()) paths.push_back(std::move(path));
  return paths;
}

Result<std::vector<std::string>> ReadPathsFrom(const std::string& file, char separator) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (fs::exists(status) && !fs::is_regular_file(status) && !fs::is_fifo(status)) {
    return Status::Io(file + ": neither a file nor a pipe");
  }
  std::ifstream list(file, std::ios::binary);
  if (!list) return Status::Io(file + ": cannot open");
  return ReadPaths(list, separator, file);
}

Result<std::vector<std::string>> FolderNames(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; entry != end; entry.increment(error)) {
    if (error) break;
    std::error_code ignored;
    if (entry->is_directory(ignored) && !IsHidden(entry->path())) {
      names.push_back(entry->path().filename().string());
    }
  }
  if (error) return IoError(folder, error);
  std::sort(names.begin(), names.end());
  return names;
}

namespace {

// Lists what the paths name other than "-".
Status ListPath(const std::string& path, const LabelIndex& index,
                bool (*is_listed)(const std::string& extension), std::vector<ImageFile>& files,
                LeftOut* left_out) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    return Status::Io(path + ": " + (error ? error.message() : "no such file or folder"));
  }
  if (fs::is_directory(status)) return ListFolder(path, index, is_listed, files, left_out);
  files.push_back({path, kUnknownTruth});
  return Status::Ok();
}

LabelIndex IndexOf(const std::vector<std::string>& labels) {
  LabelIndex index;
  for (size_t i = 0; i < labels.size(); ++i) index.emplace(labels[i], static_cast<int>(i));
  return index;
}

}  // namespace

Result<std::vector<ImageFile>> ListImages(const std::vector<std::string>& paths,
                                          const std::vector<std::string>& labels,
                                          std::istream& standard_input, LeftOut* left_out) {
  const LabelIndex index = IndexOf(labels);
  std::vector<ImageFile> images;
  for (const std::string& path : paths) {
    if (path == "-") {
      Result<std::vector<std::string>> lines = ReadPaths(standard_input, '\n', "standard input");
      if (!lines.ok()) return lines.status();
      for (std::string& line : lines.value()) images.push_back({std::move(line), kUnknownTruth});
      continue;
    }
    if (Status status = ListPath(path, index, IsRead, images, left_out); !status.ok()) {
      return status;
    }
  }
  return images;
}

bool IsRecordingName(const std::string& path) { return IsRecording(ExtensionOf(path)); }

Result<std::vector<ImageFile>> ListRecordings(const std::vector<std::string>& paths,
                                              const std::vector<std::string>& labels) {
  const LabelIndex index = IndexOf(labels);
  std::vector<ImageFile> recordings;
  for (const std::string& path : paths) {
    if (path == "-") {
      recordings.push_back({path, kUnknownTruth});
    } else if (Status status = ListPath(path, index, IsRecording, recordings, nullptr);
               !status.ok()) {
      return status;
    }
  }
  return recordings;
}

}  // namespace cssrun::tools
