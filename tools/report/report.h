// cssrun --report: from what a run left behind to a file.
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
  std::string path;                   // of the page; written as a whole or not at all
  std::string network_file;           // for its title
  SessionOptions options;             // of the run
  std::vector<NeuronChoice> neurons;  // to show; empty: some of each layer
  ImageLimits limits;                 // of the run
};

// Reads the pictures of the hardest images again, runs the first of them once more with its spikes
// and membranes recorded, and writes the page. An image that cannot be read any more is left
// without picture. Error: kIo when the page cannot be written.
Status WriteReport(const ReportRequest& request, const std::shared_ptr<const Network>& network,
                   const Summary& summary, const Tally& tally);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_REPORT_REPORT_H_
