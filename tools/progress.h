// Shows a progress line, on a terminal only.
#ifndef CSSRUN_TOOLS_PROGRESS_H_
#define CSSRUN_TOOLS_PROGRESS_H_

#include <chrono>
#include <cstddef>
#include <string>

namespace cssrun::tools {

// Shows what is done, how fast, and how long the rest will take, on standard error if that is a
// terminal and at most ten times a second. Call Clear() before printing anything else there.
class Progress {
 public:
  Progress();
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Update(const std::string& stage, size_t done, size_t total);
  // Whether a line of the caller's own should be shown now; asked once for each.
  bool IsDue();
  // Shows such a line, cut to the terminal's width. It must be safe to print.
  void Show(const std::string& line);
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;
  const bool on_terminal_;
  bool shown_ = false;
  std::string stage_;
  Clock::time_point stage_start_;
  Clock::time_point last_update_;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_PROGRESS_H_
