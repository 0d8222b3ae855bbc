// Writes the report of a stream, in the look of that of images.
#ifndef CSSRUN_TOOLS_REPORT_STREAM_PAGE_H_
#define CSSRUN_TOOLS_REPORT_STREAM_PAGE_H_

#include <string>

#include "cssrun/network.h"
#include "tools/report/stream_tally.h"
#include "tools/stream/stream_summary.h"

namespace cssrun::tools {

struct StreamReport {
  std::string network_file;
  std::string source;
  const Network& network;
  const StreamSummary& summary;
  const StreamTally& tally;
};

std::string StreamPage(const StreamReport& report);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_REPORT_STREAM_PAGE_H_
