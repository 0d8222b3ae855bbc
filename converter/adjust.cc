#include "converter/adjust.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "converter/activation_histogram.h"
#include "converter/own_network.h"
#include "cssrun/batch.h"
#include "runtime/float/float_engine.h"
#include "runtime/network/network_access.h"

namespace cssrun::converter {
namespace {

constexpr double kResidualShare = 0.999;

// Collects the residuals of every node over all images. They come from the float engine, which adds
// no rounding to the code's own.
std::vector<ActivationHistogram> CollectResiduals(const Network& network, const ImageSet& images,
                                                  unsigned threads, const Progress& progress) {
  const internal::LoadedNetwork& loaded = internal::Loaded(network);
  std::vector<ActivationHistogram> histograms(loaded.layers.size());
  std::atomic<size_t> next = 0;
  size_t done = 0;
  std::mutex mutex;
  const auto work = [&] {
    internal::FloatEngine engine(loaded, {});
    std::vector<float> residuals;
    Answer answer;
    for (size_t image = next++; image < images.pixels.size(); image = next++) {
      const Status status = engine.Run({.bytes = images.pixels[image]}, answer);
      if (!status.ok()) return;
      const std::lock_guard<std::mutex> lock(mutex);
      for (size_t i = 0; i < histograms.size(); ++i) {
        if (loaded.layers[i].kind != format::NodeKind::Neurons) continue;
        engine.Residuals(i, residuals);
        histograms[i].Add(residuals);
      }
      progress(++done, images.pixels.size());
    }
  };
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < ThreadCount(threads); ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  return histograms;
}

}  // namespace

Status AdjustAmplitudes(const SpikingNetwork& network, std::span<const uint8_t> bytes,
                        const ImageSet& images, const CodeSettings& code, unsigned threads,
                        const Progress& progress, std::vector<NodeCode>& codes) {
  Result<std::shared_ptr<const Network>> loaded =
      Network::FromBytes(bytes, "converted network", OwnNetwork(EngineKind::kFloat));
  if (!loaded.ok()) return loaded.status();
  const std::vector<ActivationHistogram> residuals =
      CollectResiduals(*loaded.value(), images, threads, progress);
  for (size_t i = 0; i < codes.size(); ++i) {
    const SpikingNode& node = network.nodes[i];
    if (node.kind != format::NodeKind::Neurons || node.grid.has_value()) continue;
    const double residual = residuals[i].Quantile(kResidualShare);
    if (residual <= 1) continue;
    for (double& amplitude : codes[i].amplitudes) {
      amplitude *= 1 + residual / code.SumOfWeights();
      // What a Clip cuts off is left on purpose: with a larger amplitude, ReLU6 would be a ReLU.
      if (node.cap.has_value()) {
        amplitude = std::min(amplitude, static_cast<double>(*node.cap) / code.SumOfWeights());
      }
    }
  }
  return Status::Ok();
}

}  // namespace cssrun::converter
