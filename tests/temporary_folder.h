// A folder that is removed after the test.
#ifndef CSSRUN_TESTS_TEMPORARY_FOLDER_H_
#define CSSRUN_TESTS_TEMPORARY_FOLDER_H_

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

namespace cssrun {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "cssrun-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // Returns the path of something inside the folder.
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

  // Writes a file and the folders above it; returns its path.
  std::string Write(const std::string& name, std::span<const uint8_t> bytes) const {
    const std::filesystem::path path = path_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    if (!file.flush()) std::abort();
    return path.string();
  }
  std::string Write(const std::string& name, std::string_view text) const {
    return Write(name, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }

 private:
  std::filesystem::path path_;
};

}  // namespace cssrun

#endif  // CSSRUN_TESTS_TEMPORARY_FOLDER_H_
