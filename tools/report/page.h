// Writes the report as one HTML page without scripts, other files or network access.
#ifndef CSSRUN_TOOLS_REPORT_PAGE_H_
#define CSSRUN_TOOLS_REPORT_PAGE_H_

#include <cstdint>
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

// A whole page of this look; `body` is the inside of its main element.
std::string PageAround(const std::string& title, const std::string& body);

// Helpers that several sections use. `share`: 0 to 1.
std::string Tile(const std::string& name, const std::string& figure, const std::string& remark);
std::string BarCell(const char* name, double value, double largest, const std::string& text,
                    const char* look);
// A list of messages, of which there may have been more; empty if there are none.
std::string FailuresSection(const std::string& what, const std::vector<std::string>& messages,
                            uint64_t count);
std::string Bar(double share, const char* look = "");
std::string Picture(const std::optional<Thumbnail>& thumbnail);
std::string Percent(double share);  // "99.5 %"
std::string Count(double number);   // "20.3 M"

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_REPORT_PAGE_H_
