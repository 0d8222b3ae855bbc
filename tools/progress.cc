#include "tools/progress.h"

#include <unistd.h>

#include "fmt/format.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {

Progress::Progress() : on_terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::Update(const std::string& stage, size_t done, size_t total) {
  if (!on_terminal_) return;
  const Clock::time_point now = Clock::now();
  if (stage != stage_) {
    stage_ = stage;
    stage_start_ = now;
  } else if (done < total && now - last_update_ < std::chrono::milliseconds(100)) {
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

void Progress::Clear() {
  if (!shown_) return;
  PrintMessage("\r\x1b[K");
  shown_ = false;
}

}  // namespace cssrun::tools
