// Writes the report as one HTML page without scripts, other files or network access.
#ifndef CSSRUN_TOOLS_REPORT_PAGE_H_
#define CSSRUN_TOOLS_REPORT_PAGE_H_

#include <optional>
#include <string>
#include <vector>

#include "cssrun/network.h"
#include "tools/report/tally.h"
#include "tools/report/thumbnail.h"
#include "tools/report/watch.h"
#include "tools/summary.h"

namespace cssrun::tools {

struct ReportContent {
  const Network& network;
  std::string network_file;
  const Summary& summary;
  const Tally& tally;
  std::vector<HardImage> hardest;
  std::vector<std::optional<Thumbnail>> pictures;  // of `hardest`; none where it cannot be read now
  // The layers watched while the first of `hardest` was run.
  std::vector<WatchedLayer> watched;
};

std::string ReportPage(const ReportContent& content);

// The sections of the page. A section is empty where there is nothing to show.
std::string AccuracySection(const ReportContent& content);
std::string HardestSection(const ReportContent& content);
std::string LayersSection(const ReportContent& content);
std::string StepsSection(const ReportContent& content);
std::string EnergySection(const ReportContent& content);
std::string NeuronsSection(const ReportContent& content);

// Helpers that several sections use. `share`: 0 to 1.
std::string Bar(double share, const char* look = "");
std::string Picture(const std::optional<Thumbnail>& thumbnail);
std::string Percent(double share);  // "99.5 %"
std::string Count(double number);   // "20.3 M"

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_REPORT_PAGE_H_
