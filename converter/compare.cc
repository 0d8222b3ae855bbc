#include "converter/compare.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>

#include "converter/own_network.h"
#include "cssrun/batch.h"
#include "cssrun/network.h"

namespace cssrun::converter {
namespace {

// Returns the lead of the best class over the second.
double Lead(const Logits& logits) {
  const size_t best = BestClass(logits);
  double second = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < logits.size(); ++i) {
    if (i != best) second = std::max(second, static_cast<double>(logits[i]));
  }
  return static_cast<double>(logits[best]) - second;
}

// Returns how likely the best class stays ahead of the second if the logits have normally
// distributed errors whose squares sum up to `error`. The difference of two logits has sqrt(2)
// times the error of one.
double ChanceOfAgreement(const Logits& ann, double error) {
  if (error == 0) return 1;
  const double deviation = std::sqrt(error / static_cast<double>(ann.size()));
  return 1 - std::erfc(Lead(ann) / (2 * deviation)) / 2;
}

// Returns the margin that this image needs: no reading that gives another answer may exceed it.
// Early readings of huge weights may lead by more than a float holds.
double NeededMargin(const Answer& answer, size_t expected) {
  double needed = 0;
  if (BestClass(answer.logits) != expected) return needed;
  for (const Reading& reading : answer.readings) {
    if (BestClass(reading.logits) != expected) needed = std::max(needed, reading.margin);
  }
  return std::min(needed, static_cast<double>(std::numeric_limits<float>::max()));
}

}  // namespace

Result<Comparison> CompareWithAnn(std::span<const uint8_t> bytes, const ImageSet& images,
                                  const std::vector<Logits>& ann, unsigned threads,
                                  const Progress& progress, EngineKind engine, Readings readings) {
  Result<std::shared_ptr<const Network>> network =
      Network::FromBytes(bytes, "converted network", OwnNetwork(engine));
  if (!network.ok()) return network.status();
  return CompareWithAnn(network.value(), images, ann, threads, progress, readings);
}

Result<Comparison> CompareWithAnn(const std::shared_ptr<const Network>& network,
                                  const ImageSet& images, const std::vector<Logits>& ann,
                                  unsigned threads, const Progress& progress, Readings readings) {
  const size_t count = images.pixels.size();
  const bool classes = network->answer() == AnswerKind::kClasses;
  Comparison comparison;
  comparison.images = count;
  comparison.engine = network->engine();
  comparison.layers.resize(network->layers().size());
  size_t agreeing = 0;
  size_t graded = 0;
  size_t ann_right = 0;
  size_t snn_right = 0;
  double error = 0;
  double norm = 0;
  double expected = 0;  // sum of the chances of agreement
  Status failure;
  SessionOptions options;
  options.statistics = true;
  options.keep_readings = classes && readings == Readings::kTake;
  std::vector<double> needed_margins;
  const Status ran = RunImages(
      network, options, count, threads,
      [&](size_t index, std::vector<uint8_t>& pixels) {
        pixels = images.pixels[index];
        return Status::Ok();
      },
      [&](size_t index, const ImageOutcome& outcome) {
        if (!outcome.status.ok()) {
          failure = outcome.status;
          return false;
        }
        const Logits& snn = outcome.answer.logits;
        if (classes) {
          agreeing += BestClass(snn) == BestClass(ann[index]);
          needed_margins.push_back(NeededMargin(outcome.answer, BestClass(ann[index])));
        }
        if (classes && images.truth[index] >= 0) {
          ++graded;
          ann_right += images.IsRight(index, BestClass(ann[index]));
          snn_right += images.IsRight(index, BestClass(snn));
        }
        double image_error = 0;
        for (size_t i = 0; i < snn.size(); ++i) {
          const auto exact = static_cast<double>(ann[index][i]);
          const double difference = static_cast<double>(snn[i]) - exact;
          image_error += difference * difference;
          norm += exact * exact;
        }
        error += image_error;
        if (classes) expected += ChanceOfAgreement(ann[index], image_error);
        for (size_t i = 0; i < comparison.layers.size(); ++i) {
          const LayerStatistics& layer = outcome.answer.layers[i];
          comparison.layers[i].spikes += static_cast<double>(layer.spikes);
          comparison.layers[i].synops += static_cast<double>(layer.synops);
          comparison.direct_macs_per_image += static_cast<double>(layer.macs);
        }
        progress(index + 1, count);
        return true;
      });
  if (!ran.ok()) return ran;
  if (!failure.ok()) return failure;

  const auto share = [](size_t part, size_t whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
  };
  comparison.relative_logit_error = norm > 0 ? std::sqrt(error / norm) : 0;
  if (classes) {
    comparison.agreement = share(agreeing, count);
    comparison.expected_agreement = expected / static_cast<double>(count);
    const auto may_differ = static_cast<size_t>(kEarlyExitCost * static_cast<double>(count));
    std::sort(needed_margins.begin(), needed_margins.end(), std::greater<>());
    comparison.early_exit_margin = needed_margins[may_differ];
  }
  if (graded > 0) {
    comparison.ann_top1 = share(ann_right, graded);
    comparison.snn_top1 = share(snn_right, graded);
  }
  comparison.direct_macs_per_image /= static_cast<double>(count);
  for (LayerCost& layer : comparison.layers) {
    layer.spikes /= static_cast<double>(count);
    layer.synops /= static_cast<double>(count);
    comparison.spikes_per_image += layer.spikes;
    comparison.synops_per_image += layer.synops;
  }
  return comparison;
}

}  // namespace cssrun::converter
