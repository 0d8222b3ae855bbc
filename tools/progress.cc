#include "tools/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "fmt/format.h"
#include "tools/terminal_text.h"
#include "tools/utf8.h"

namespace cssrun::tools {
namespace {

constexpr std::chrono::milliseconds kBetweenLines(100);

// The bytes of the first `characters` characters of UTF-8.
size_t LengthOf(const std::string& text, size_t characters) {
  size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool begins = !ContinuesCharacter(static_cast<uint8_t>(text[at]));
    if (begins && characters-- == 0) break;
  }
  return at;
}

}  // namespace

Progress::Progress() : on_terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::Update(const std::string& stage, size_t done, size_t total) {
  if (!on_terminal_) return;
  const Clock::time_point now = Clock::now();
  if (stage != stage_) {
    stage_ = stage;
    stage_start_ = now;
  } else if (done < total && now - last_update_ < kBetweenLines) {
    return;
  }
  last_update_ = now;
  const double seconds = std::chrono::duration<double>(now - stage_start_).count();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  constexpr size_t kWidth = 24;
  const size_t filled = total == 0 ? kWidth : kWidth * done / total;
  const double left = rate > 0 ? static_cast<double>(total - done) / rate : 0;
  PrintMessage(fmt::format("\r\x1b[K{} [{}{}] {}/{}  {:.1f}/s  {:.0f} s left", stage,
                           std::string(filled, '='), std::string(kWidth - filled, ' '), done, total,
                           rate, left));
  shown_ = true;
}

bool Progress::IsDue() {
  if (!on_terminal_) return false;
  const Clock::time_point now = Clock::now();
  if (now - last_update_ < kBetweenLines) return false;
  last_update_ = now;
  return true;
}

void Progress::Show(const std::string& line) {
  struct winsize size = {};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  // A line that wraps could not be cleared.
  PrintMessage("\r\x1b[K" + line.substr(0, LengthOf(line, known ? size.ws_col - 1U : 79)));
  shown_ = true;
}

void Progress::Clear() {
  if (!shown_) return;
  PrintMessage("\r\x1b[K");
  shown_ = false;
}

}  // namespace cssrun::tools
