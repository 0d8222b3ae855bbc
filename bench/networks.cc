// Whole networks against the dense ANN: cssrun's engine and oneDNN float on the same images, in one
// process, turn by turn, so that a noisy machine slows both alike.
//
//   bench_networks MODEL.onnx NET.fb IMAGES [SECONDS]      prints one JSON object
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "converter/ann_run.h"
#include "converter/convert.h"
#include "converter/dense.h"
#include "cssrun/cssrun.h"
#include "tools/image_io.h"
#include "tools/image_list.h"

namespace cssrun {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double Percentile(std::vector<double>& values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

void Exit(const Status& status) {
  std::cerr << "bench_networks: " << status.message() << "\n";
  std::exit(3);
}

int Run(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "bench_networks MODEL.onnx NET.fb IMAGES [SECONDS]\n";
    return 2;
  }
  const double seconds = argc > 4 ? std::stod(argv[4]) : 5;
  const auto model = converter::LoadModel(argv[1]);
  if (!model.ok()) Exit(model.status());
  const auto network = Network::Load(argv[2]);
  if (!network.ok()) Exit(network.status());
  const InputFormat& format = network.value()->input();
  const auto files = tools::ListImages({argv[3]}, network.value()->labels(), std::cin);
  if (!files.ok()) Exit(files.status());
  std::vector<std::vector<uint8_t>> pixels;
  std::vector<std::vector<float>> normalized;
  for (const tools::ImageFile& file : files.value()) {
    if (pixels.size() == 200) break;
    pixels.emplace_back();
    const Status status = tools::ReadPixels(file.path, format, pixels.back());
    if (!status.ok()) Exit(status);
    normalized.emplace_back(pixels.back().size());
    converter::NormalizePixels(pixels.back(), format, normalized.back());
  }
  constexpr size_t kBatches[] = {1, 16};
  std::vector<std::unique_ptr<converter::DenseNetwork>> dense;
  for (const size_t batch : kBatches) {
    auto created =
        converter::DenseNetwork::Create(model.value().graph, static_cast<int64_t>(batch));
    if (!created.ok()) Exit(created.status());
    dense.push_back(std::move(created).value());
  }
  Session session(network.value());
  Answer answer;
  std::vector<double> ours;
  std::vector<std::vector<double>> theirs(std::size(kBatches));  // per image
  double synops = 0;
  const Clock::time_point start = Clock::now();
  for (size_t round = 0; SecondsSince(start) < seconds; ++round) {
    constexpr size_t kTurn = 16;
    for (size_t i = 0; i < kTurn; ++i) {
      const Clock::time_point begin = Clock::now();
      const Status status = session.Run(pixels[(round * kTurn + i) % pixels.size()], answer);
      if (!status.ok()) Exit(status);
      ours.push_back(SecondsSince(begin));
      for (const LayerStatistics& layer : answer.layers) {
        synops += static_cast<double>(layer.synops);
      }
    }
    for (size_t b = 0; b < std::size(kBatches); ++b) {
      const size_t batch = kBatches[b];
      std::vector<float> images;
      std::vector<float> logits(batch * model.value().classes);
      for (size_t turn = 0; turn < kTurn; turn += batch) {
        images.clear();
        for (size_t i = 0; i < batch; ++i) {
          const auto& image = normalized[(round * kTurn + turn + i) % normalized.size()];
          images.insert(images.end(), image.begin(), image.end());
        }
        const Clock::time_point begin = Clock::now();
        const Status status = dense[b]->Run(images, logits, {}, {});
        if (!status.ok()) Exit(status);
        theirs[b].push_back(SecondsSince(begin) / static_cast<double>(batch));
      }
    }
  }
  synops /= static_cast<double>(ours.size());
  const double snn = Percentile(ours, 0.5);
  const double dense1 = Percentile(theirs[0], 0.5);
  const double dense16 = Percentile(theirs[1], 0.5);
  fmt::print(
      "{{\"snn_ms\": {:.4f}, \"dense_ms\": {:.4f}, \"dense_batch16_ms\": {:.4f}, "
      "\"ratio\": {:.3f}, \"ratio_batch16\": {:.3f}, \"synops\": {:.0f}, \"gsyops\": {:.2f}}}\n",
      snn * 1e3, dense1 * 1e3, dense16 * 1e3, dense1 / snn, dense16 / snn, synops,
      synops / snn / 1e9);
  return 0;
}

}  // namespace
}  // namespace cssrun

int main(int argc, char** argv) { return cssrun::Run(argc, argv); }
