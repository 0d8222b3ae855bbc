// Writes the page of cssrun --report from what was counted during a run.
#ifndef CSSRUN_TOOLS_REPORT_REPORT_H_
#define CSSRUN_TOOLS_REPORT_REPORT_H_

#include <memory>
#include <string>
#include <vector>

#include "cssrun/network.h"
#include "cssrun/session.h"
#include "cssrun/status.h"
#include "tools/image.h"
#include "tools/report/tally.h"
#include "tools/report/watch.h"
#include "tools/summary.h"

namespace cssrun::tools {

struct ReportRequest {
  std::string path;                   // of the page, which is written as a whole or not at all
  std::string network_file;           // for the page's title
  SessionOptions options;             // the run's options
  std::vector<NeuronChoice> neurons;  // to show; if empty, some of each layer
  ImageLimits limits;                 // the run's limits
};

// Reads the hardest images again for their pictures, runs the first of them once more with its
// spikes and membranes recorded, and writes the page. An image that can no longer be read has no
// picture. Error: kIo when the page cannot be written.
Status WriteReport(const ReportRequest& request, const std::shared_ptr<const Network>& network,
                   const Summary& summary, const Tally& tally);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_REPORT_REPORT_H_
