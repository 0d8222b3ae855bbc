// Compares a converted network's answers with those of its ANN.
#ifndef CSSRUN_CONVERTER_COMPARE_H_
#define CSSRUN_CONVERTER_COMPARE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "converter/ann_run.h"
#include "cssrun/network.h"
#include "cssrun/session.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// The share of images on which an early exit may disagree with the ANN although the complete run
// agrees.
constexpr double kEarlyExitCost = 0.001;

// All counts are means per image.
struct LayerCost {
  double spikes = 0;
  double synops = 0;
};

struct Comparison {
  uint64_t images = 0;
  EngineKind engine = EngineKind::kInteger;  // that ran; float if integers cannot
  // Share of images with the ANN's best class. This and the next are -1 if the outputs are numbers.
  double agreement = -1;
  // The expected agreement, computed from the logit errors and the leads of the ANN's best class.
  // On a few hundred images it is much steadier than a count of the few that differ.
  double expected_agreement = -1;
  double relative_logit_error = 0;  // |SNN - ANN| / |ANN| over all logits or numbers
  double ann_top1 = -1;             // -1 without ground truth
  double snn_top1 = -1;
  double spikes_per_image = 0;
  double synops_per_image = 0;
  double direct_macs_per_image = 0;  // multiply-accumulates of pixels that are not coded in spikes
  // The smallest margin for an early exit that loses at most kEarlyExitCost of the agreement.
  // Negative if the outputs are numbers.
  double early_exit_margin = -1;
  std::vector<LayerCost> layers;  // as in the network
};

// Images, and the ANN's answers to them.
struct AnsweredImages {
  ImageSet images;
  std::vector<Logits> ann;

  // Adds image `i` of a set and the answer to it.
  void Add(const ImageSet& from, const std::vector<Logits>& answers, size_t i) {
    images.pixels.push_back(from.pixels[i]);
    images.truth.push_back(from.truth[i]);
    ann.push_back(answers[i]);
  }
};

// The similarity of network and ANN, from 0 to 1: the expected agreement, or for numbers 1 minus
// the relative error.
inline double Likeness(const Comparison& comparison) {
  return comparison.agreement < 0 ? 1 - comparison.relative_logit_error
                                  : comparison.expected_agreement;
}

// Whether to look for the margin of an early exit, which needs the readout after every step.
enum class Readings { kTake, kLeaveOut };

// Runs the network in `bytes` on `images` with `threads` threads (0: all cores). `ann` has the
// ANN's logits on the same images. The default is the integer engine, because users run it by
// default. Error: kBadModel when the bytes are not a sound network.
Result<Comparison> CompareWithAnn(std::span<const uint8_t> bytes, const ImageSet& images,
                                  const std::vector<Logits>& ann, unsigned threads,
                                  const Progress& progress,
                                  EngineKind engine = EngineKind::kInteger,
                                  Readings readings = Readings::kTake);
// The same for a loaded network.
Result<Comparison> CompareWithAnn(const std::shared_ptr<const Network>& network,
                                  const ImageSet& images, const std::vector<Logits>& ann,
                                  unsigned threads, const Progress& progress, Readings readings);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_COMPARE_H_
