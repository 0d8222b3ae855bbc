// Writes the results of a run to standard output, or to a file that an interrupted run has begun.
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

  // Opens a file of JSON lines, or creates one. Its lines must be those of the first images of
  // `files`, as this run would write them; anything after the last complete line is cut off.
  // Errors: kIo; kInvalidArgument where the lines belong to other images, or another run is writing
  // to the file.
  static Result<Results> Continue(const std::string& path, const std::vector<ImageFile>& files,
                                  const Network& network, size_t topk);

  ~Results();
  Results(Results&& other) noexcept;
  Results& operator=(Results&&) = delete;

  // The results of the images 0, 1, ... that are done.
  const std::vector<EarlierResult>& earlier() const { return earlier_; }

  // Writes to the file at once, so that the result survives the end of this process. Returns false
  // when it fails.
  bool Write(std::string_view text);
  // Call this last, and once.
  bool Finish();

 private:
  Results() = default;

  int descriptor_ = -1;  // of the file; standard output has its own buffer
  std::vector<EarlierResult> earlier_;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RESULTS_H_
