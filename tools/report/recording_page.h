// Writes the report of recordings, in the look of that of images.
#ifndef CSSRUN_TOOLS_REPORT_RECORDING_PAGE_H_
#define CSSRUN_TOOLS_REPORT_RECORDING_PAGE_H_

#include <string>

#include "cssrun/network.h"
#include "tools/recordings/recording_summary.h"
#include "tools/report/recording_tally.h"

namespace cssrun::tools {

struct RecordingReport {
  std::string network_file;
  const Network& network;
  const RecordingSummary& summary;
  const RecordingTally& tally;
};

std::string RecordingPage(const RecordingReport& report);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_REPORT_RECORDING_PAGE_H_
