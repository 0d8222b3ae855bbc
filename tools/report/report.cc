#include "tools/report/report.h"

#include <optional>
#include <utility>

#include "tools/image_io.h"
#include "tools/report/page.h"
#include "tools/report/thumbnail.h"
#include "tools/written_files.h"

namespace cssrun::tools {

Status WriteReport(const ReportRequest& request, const std::shared_ptr<const Network>& network,
                   const Summary& summary, const Tally& tally) {
  ReportContent content{*network, request.network_file, summary, tally, tally.Hardest(), {}, {}};
  for (const HardImage& image : content.hardest) {
    Result<Thumbnail> picture = MakeThumbnail(image.path, request.limits);
    content.pictures.push_back(picture.ok() ? std::optional(std::move(picture).value())
                                            : std::nullopt);
  }
  std::vector<uint8_t> pixels;
  if (!content.hardest.empty() &&
      ReadPixels(content.hardest[0].path, network->input(), pixels, request.limits).ok()) {
    Result<std::vector<WatchedLayer>> watched =
        WatchNeurons(network, request.options, pixels, request.neurons);
    if (!watched.ok()) return watched.status();
    content.watched = std::move(watched).value();
  }
  return WriteText(request.path, ReportPage(content));
}

}  // namespace cssrun::tools
