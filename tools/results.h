// Where the results of a run go: standard output, or a file that an interrupted run has begun.
#ifndef CSSRUN_TOOLS_RESULTS_H_
#define CSSRUN_TOOLS_RESULTS_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cssrun/network.h"
#include "cssrun/status.h"
#include "tools/image_list.h"
#include "tools/summary.h"

namespace cssrun::tools {

class Results {
 public:
  static Results ToStandardOutput() { return {}; }

  // Opens a file of JSON lines, or begins one. Its lines must be those of the first images of
  // `files`, as this run would write them; what follows the last complete one is cut off. Errors:
  // kIo; kInvalidArgument where the lines are of other images, or another run writes them just now.
  static Result<Results> Continue(const std::string& path, const std::vector<ImageFile>& files,
                                  const Network& network, size_t topk);

  ~Results();
  Results(Results&& other) noexcept;
  Results& operator=(Results&&) = delete;

  // Of the images 0, 1, ... that are done.
  const std::vector<EarlierResult>& earlier() const { return earlier_; }

  // To a file at once, so that it is there whatever becomes of this process. False when it fails.
  bool Write(std::string_view text);
  // Call last, and once.
  bool Finish();

 private:
  Results() = default;

  int descriptor_ = -1;  // of the file; standard output has its buffer
  std::vector<EarlierResult> earlier_;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RESULTS_H_
