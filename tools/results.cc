#include "tools/results.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "fmt/format.h"

namespace cssrun::tools {
namespace {

using Json = nlohmann::json;

Status IoError(const std::string& path, const std::string& what) {
  return Status::Io(path + ": cannot " + what + ": " + std::strerror(errno));
}

// Returns the text as JSON writes it, with bytes that are not UTF-8 replaced.
std::string Written(const std::string& text) {
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace));
}

// Another class of the same name is right, too.
bool IsRight(const Network& network, int truth, size_t answer) {
  return network.labels()[answer] == network.labels()[static_cast<size_t>(truth)];
}

// Reads the line's classes, best first. Returns nothing if the line does not belong to that image
// or to this network.
std::optional<EarlierResult> ReadLine(const Json& line, const ImageFile& file,
                                      const Network& network, size_t topk) {
  const bool graded = file.truth != kUnknownTruth;
  const Json truth =
      graded ? Json(Written(network.labels()[static_cast<size_t>(file.truth)])) : Json();
  if (!line.is_object() || line.value("path", Json()) != Written(file.path) ||
      (network.answer() == AnswerKind::kClasses && line.value("truth", Json(0)) != truth)) {
    return std::nullopt;
  }
  EarlierResult result;
  result.failed = line.value("error", Json()).is_string();
  result.truth = file.truth;
  if (network.answer() == AnswerKind::kNumbers) {
    const Json outputs = line.value("outputs", Json());
    const size_t expected = result.failed ? 0 : network.outputs().size();
    if (!outputs.is_array() || outputs.size() != expected) return std::nullopt;
    return result;
  }
  const Json top = line.value("top", Json());
  const size_t classes = result.failed ? 0 : std::min<size_t>(topk, network.logits());
  if (!top.is_array() || top.size() != classes) return std::nullopt;
  for (size_t i = 0; i < top.size(); ++i) {
    const Json index = top[i].is_object() ? top[i].value("index", Json()) : Json();
    if (!index.is_number_unsigned() || index >= network.logits()) return std::nullopt;
    const bool right = graded && IsRight(network, file.truth, index);
    if (i == 0) result.best = index;
    if (i == 0 && right) result.truth = index;
    if (i < 5 && right) result.right_in_five = true;
  }
  if (!result.right_in_five.has_value() && top.size() >= 5) result.right_in_five = false;
  return result;
}

}  // namespace

Result<Results> Results::Continue(const std::string& path, const std::vector<ImageFile>& files,
                                  const Network& network, size_t topk) {
  Results results;
  results.descriptor_ = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (results.descriptor_ < 0) return IoError(path, "open");
  struct stat status = {};
  if (fstat(results.descriptor_, &status) != 0) return IoError(path, "look at it");
  if (!S_ISREG(status.st_mode)) return Status::Io(path + ": not a regular file");
  // Some network file systems have no locks; there the file is not protected from other runs.
  if (flock(results.descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return Status::InvalidArgument(path + ": another run is writing it; wait for its end");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return IoError(path, "read");
  off_t sound = 0;  // bytes of the complete lines
  for (std::string text; std::getline(file, text) && !file.eof();) {
    const Json line = Json::parse(text, nullptr, false);
    // A crash of the machine may leave a torn line at the end.
    if (line.is_discarded() && file.peek() == std::ifstream::traits_type::eof()) break;
    const size_t number = results.earlier_.size();
    std::optional<EarlierResult> result;
    if (number < files.size()) result = ReadLine(line, files[number], network, topk);
    if (!result.has_value()) {
      return Status::InvalidArgument(fmt::format(
          "{}: line {} is {}; continue with the same network, images and --topk, or remove the "
          "file "
          "to begin again",
          path, number + 1,
          number < files.size() ? "not the result of " + files[number].path : "one too many"));
    }
    results.earlier_.push_back(*result);
    sound += static_cast<off_t>(text.size()) + 1;
  }
  if (file.bad()) return IoError(path, "read");
  if (ftruncate(results.descriptor_, sound) != 0) return IoError(path, "cut off its last line");
  return results;
}

Results::Results(Results&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), earlier_(std::move(other.earlier_)) {}

Results::~Results() {
  if (descriptor_ >= 0) close(descriptor_);
}

bool Results::Write(std::string_view text) {
  if (descriptor_ < 0) return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  while (!text.empty()) {
    const ssize_t count = write(descriptor_, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

bool Results::Finish() {
  if (descriptor_ < 0) return std::fflush(stdout) == 0;
  const bool synced = fsync(descriptor_) == 0;
  return close(std::exchange(descriptor_, -1)) == 0 && synced;
}

}  // namespace cssrun::tools
