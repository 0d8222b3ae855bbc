#include "converter/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "converter/network_builder.h"
#include "cssrun/batch.h"
#include "format/network_file.h"
#include "runtime/neuron/settled.h"

namespace cssrun::converter {
namespace {

// The seconds that one candidate may take, so that the search ends within minutes. For large models
// this limits the number of images.
constexpr double kSecondsPerTry = 0.5;
constexpr double kSynopsPerSecond = 3e10;  // of one core, roughly
constexpr size_t kFewestImages = 16;

// The number of settings that each stage keeps.
constexpr size_t kWithOtherRules = 8;
constexpr size_t kTuned = 4;

// Layers are tuned one by one; a network with more layers is tuned in this many groups of
// neighbouring layers.
constexpr size_t kMostGroups = 32;

constexpr float kLowestThreshold = 0.4F;
constexpr float kHighestThreshold = 0.95F;

struct Candidate {
  CodeSettings code;
  AmplitudeSettings amplitudes;
  std::vector<NodeCode> codes;
  size_t changes = 0;
  Comparison measured;  // on the first half
  double cost = 0;      // SyOPs, plus multiplications of pixels converted to SyOPs
};

bool Cheaper(const Candidate& a, const Candidate& b) { return a.cost < b.cost; }

class Search {
 public:
  Search(const Model& model, const PreparedModel& prepared, const ImageSet& images,
         const ConvertOptions& options, double tolerance, const StageProgress& progress)
      : model_(model),
        prepared_(prepared),
        options_(options),
        wanted_(1 - tolerance),
        progress_(progress) {
    const double seconds = static_cast<double>(prepared.network.macs) / kSynopsPerSecond /
                           ThreadCount(options.threads);
    const auto affordable = static_cast<size_t>(kSecondsPerTry / seconds);
    const size_t each = std::min(images.pixels.size() / 2, std::max(affordable, kFewestImages));
    // Each half takes every other image, so that both contain all classes of a sorted list.
    const size_t step = std::max<size_t>(1, images.pixels.size() / 2 / std::max<size_t>(each, 1));
    for (size_t i = 0; i < images.pixels.size(); ++i) {
      if (i / 2 % step != 0) continue;
      halves_[i % 2].Add(images, prepared.calibration.logits, i);
    }
    if (halves_[1].ann.empty()) halves_[1] = halves_[0];
  }

  Result<SearchResult> Run() {
    if (Status status = TryNetworkSettings(); !status.ok()) return status;
    if (Status status = TryRules(); !status.ok()) return status;
    if (Status status = TuneLayers(); !status.ok()) return status;
    return Choose();
  }

 private:
  // Measures a candidate on one half.
  Status Measure(const Candidate& candidate, const AnsweredImages& half,
                 Comparison& measured) const {
    ConvertOptions options = options_;
    options.code = candidate.code;
    const flatbuffers::DetachedBuffer bytes =
        format::SerializeNetwork(BuildFile(model_, prepared_, options, candidate.codes));
    Result<Comparison> comparison = CompareWithAnn(
        {bytes.data(), bytes.size()}, half.images, half.ann, options.threads, [](size_t, size_t) {},
        EngineKind::kInteger, Readings::kLeaveOut);
    if (!comparison.ok()) return comparison.status();
    measured = std::move(comparison).value();
    return Status::Ok();
  }

  Status Try(Candidate candidate, const char* stage, size_t done, size_t total) {
    progress_(stage, done, total);
    if (candidate.codes.empty()) {
      candidate.codes = ChooseAmplitudes(prepared_.network, prepared_.calibration, prepared_.input,
                                         candidate.code, candidate.amplitudes);
    }
    if (Status status = Measure(candidate, halves_[0], candidate.measured); !status.ok()) {
      return status;
    }
    candidate.cost = candidate.measured.synops_per_image +
                     kSynopsPerMac * candidate.measured.direct_macs_per_image;
    tried_.push_back(std::move(candidate));
    return Status::Ok();
  }

  static CodeSettings Code(uint32_t timesteps, float beta, uint32_t silent, float threshold,
                           InputCoding input) {
    CodeSettings code;
    code.timesteps = timesteps;
    code.beta = beta;
    code.silent_steps = silent;
    code.threshold = threshold;
    code.input = input;
    return code;
  }

  // Tries settings of the whole network with the default amplitudes. Direct input comes first: it
  // costs one layer's multiplications and saves the cost of the first layer's spikes.
  Status TryNetworkSettings() {
    std::vector<CodeSettings> codes;
    const InputCoding input = InputCoding::kDirect;
    for (const uint32_t timesteps : {3U, 4U, 5U, 6U, 7U, 8U}) {
      codes.push_back(Code(timesteps, 2, 1, 0.6F, input));
      codes.push_back(Code(timesteps, 2, 2, 0.667F, input));
      codes.push_back(Code(timesteps, 2, 2, 0.75F, input));
      // A neuron has all of its input before its first spike, so it fires where its digit rounds
      // up.
      if (timesteps <= internal::kLongestSettledTrain)
        codes.push_back(Code(timesteps, 2, timesteps - 1, 0.75F, input));
    }
    for (const uint32_t timesteps : {6U, 7U, 8U, 9U, 10U, 12U}) {
      codes.push_back(Code(timesteps, 1.5F, 2, 0.7F, input));
      codes.push_back(Code(timesteps, 1.5F, 3, 0.75F, input));
      codes.push_back(Code(timesteps, 1.5F, 4, 0.75F, input));
    }
    for (size_t i = 0; i < codes.size(); ++i) {
      Candidate candidate;
      candidate.code = codes[i];
      candidate.amplitudes = options_.amplitudes;
      if (Status status = Try(std::move(candidate), "searching: T, beta, L", i, codes.size());
          !status.ok()) {
        return status;
      }
    }
    return Status::Ok();
  }

  // Returns the least agreement on the second half. A count over a few hundred images is noisy, and
  // among hundreds of candidates some agree by luck. So the first half must agree as wanted, and on
  // the second half, which took no part in the choice, neither the counted nor the expected
  // agreement may be much lower.
  double Least() const { return 1 - 2 * (1 - wanted_); }

  // Returns the cheapest of the candidates that are expected to agree, each with another T, beta
  // and L. If there is none, returns the one that comes closest.
  std::vector<Candidate> Promising(size_t count, double expected) const {
    std::vector<Candidate> sorted = tried_;
    std::stable_sort(sorted.begin(), sorted.end(), Cheaper);
    std::vector<Candidate> promising;
    for (const Candidate& candidate : sorted) {
      const bool known = std::ranges::any_of(promising, [&](const Candidate& other) {
        return other.code.timesteps == candidate.code.timesteps &&
               other.code.beta == candidate.code.beta &&
               other.code.silent_steps == candidate.code.silent_steps;
      });
      if (promising.size() < count && !known && candidate.measured.expected_agreement >= expected) {
        promising.push_back(candidate);
      }
    }
    if (promising.empty()) {
      promising.push_back(*std::ranges::max_element(tried_, {}, [](const Candidate& candidate) {
        return candidate.measured.expected_agreement;
      }));
    }
    return promising;
  }

  // Tries other amplitude rules and the other input for the most promising settings.
  Status TryRules() {
    // Another rule may have a slightly smaller error.
    constexpr double kSlack = 0.002;
    const std::vector<Candidate> promising = Promising(kWithOtherRules, Least() - kSlack);
    constexpr size_t kVariants = 5;
    for (size_t i = 0; i < promising.size(); ++i) {
      for (size_t variant = 0; variant < kVariants; ++variant) {
        Candidate candidate;
        candidate.code = promising[i].code;
        candidate.amplitudes = options_.amplitudes;
        if (variant == 1 || variant == 3) candidate.amplitudes.rule = AmplitudeRule::kLeastSquares;
        if (variant == 2 || variant == 3) candidate.amplitudes.per_channel = true;
        if (variant == 4) candidate.amplitudes.rule = AmplitudeRule::kMaximum;
        if (variant == 0) {
          candidate.code.input =
              candidate.code.DirectInput() ? InputCoding::kCss : InputCoding::kDirect;
        }
        if (Status status = Try(std::move(candidate), "searching: amplitudes",
                                i * kVariants + variant, promising.size() * kVariants);
            !status.ok()) {
          return status;
        }
      }
    }
    return Status::Ok();
  }

  struct Range {
    size_t begin = 0;
    size_t end = 0;
  };

  // A change of a setting that makes it cheaper or more accurate. At most one change per site is
  // applied.
  struct Change {
    size_t site = 0;
    Range nodes = {};
    double factor = 1;  // multiplies the amplitudes
    float added = 0;    // added to the thresholds of the spike indices
    Range spikes = {};
    double saved = 0;  // SyOPs
    double error = 0;  // added to the square of the relative logit error
  };

  bool IsTunable(size_t node) const {
    const SpikingNode& n = prepared_.network.nodes[node];
    return n.kind == format::NodeKind::Neurons && !n.grid.has_value();
  }

  void Apply(const Change& change, std::vector<NodeCode>& codes) const {
    for (size_t i = change.nodes.begin; i < change.nodes.end; ++i) {
      if (!IsTunable(i)) continue;
      if (!prepared_.network.nodes[i].cap.has_value()) {
        for (double& amplitude : codes[i].amplitudes) amplitude *= change.factor;
      }
      for (size_t k = change.spikes.begin; k < change.spikes.end; ++k) {
        float& threshold = codes[i].thresholds[k];
        threshold = std::clamp(threshold + change.added, kLowestThreshold, kHighestThreshold);
      }
    }
  }

  // Lists every change to `start` that is worth a try.
  std::vector<Change> ListChanges(const Candidate& start) const {
    const size_t timesteps = start.code.timesteps;
    const size_t nodes = prepared_.network.nodes.size();
    const size_t together = (nodes + kMostGroups - 1) / kMostGroups;
    std::vector<Change> changes;
    size_t site = 0;
    for (size_t i = 0; i < nodes; i += together) {
      const Range group = {i, std::min(nodes, i + together)};
      for (const double factor : {0.8, 0.9, 1.1, 1.25}) {
        changes.push_back({.site = site, .nodes = group, .factor = factor, .spikes = {}});
      }
      ++site;
      for (const float added : {0.06F, 0.12F}) {
        changes.push_back(
            {.site = site, .nodes = group, .added = added, .spikes = {timesteps - 1, timesteps}});
      }
      ++site;
    }
    for (size_t k = 0; k < timesteps; ++k, ++site) {
      for (const float added : {-0.1F, -0.05F, 0.05F, 0.1F}) {
        changes.push_back(
            {.site = site, .nodes = {0, nodes}, .added = added, .spikes = {k, k + 1}});
      }
    }
    return changes;
  }

  // Combinations of cheaper changes add error, so the start must have less error than is allowed.
  Status TuneLayers() {
    const double expected = (wanted_ + Least()) / 2;
    for (const Candidate& start : Promising(kTuned, expected)) {
      if (Status status = TuneLayersOf(start); !status.ok()) return status;
    }
    return Status::Ok();
  }

  Status TuneLayersOf(const Candidate& start) {
    std::vector<Change> changes = ListChanges(start);
    const double base = Squared(start.measured.relative_logit_error);
    for (size_t i = 0; i < changes.size(); ++i) {
      progress_("searching: layers", i, changes.size());
      Candidate candidate = start;
      Apply(changes[i], candidate.codes);
      if (IsSame(candidate.codes, start.codes)) continue;  // no neurons here, or at the limit
      if (Status status = Measure(candidate, halves_[0], candidate.measured); !status.ok()) {
        return status;
      }
      changes[i].saved = start.measured.synops_per_image - candidate.measured.synops_per_image;
      changes[i].error = Squared(candidate.measured.relative_logit_error) - base;
    }
    return TryCombinations(start, changes);
  }

  // For a given price of an error, applies the most valuable change at each site.
  Status TryCombinations(const Candidate& start, const std::vector<Change>& changes) {
    constexpr int kPrices = 9;
    constexpr double kRatio = 1.6;
    constexpr double kLowest = 0.25;
    // At the reference price, a tenth of the SyOPs is worth as much as half of the squared error.
    const double usual = start.cost * 0.1 / Squared(start.measured.relative_logit_error) / 0.5;
    std::vector<NodeCode> last = start.codes;
    for (int i = 0; i < kPrices; ++i) {
      const double price = usual * kLowest * std::pow(kRatio, i);
      std::map<size_t, const Change*> best;
      for (const Change& change : changes) {
        const double worth = change.saved - price * change.error;
        if (worth <= 0) continue;
        const Change*& of_site = best[change.site];
        if (of_site == nullptr || worth > of_site->saved - price * of_site->error) {
          of_site = &change;
        }
      }
      Candidate candidate = start;
      for (const auto& [site, change] : best) Apply(*change, candidate.codes);
      candidate.changes += best.size();
      if (IsSame(candidate.codes, last)) continue;
      last = candidate.codes;
      if (Status status =
              Try(std::move(candidate), "searching: combinations", static_cast<size_t>(i), kPrices);
          !status.ok()) {
        return status;
      }
    }
    return Status::Ok();
  }

  static bool IsSame(const std::vector<NodeCode>& a, const std::vector<NodeCode>& b) {
    return std::ranges::equal(a, b, [](const NodeCode& x, const NodeCode& y) {
      return x.amplitudes == y.amplitudes && x.thresholds == y.thresholds;
    });
  }

  static double Squared(double x) { return x * x; }

  static FrontierPoint Describe(const Candidate& candidate) {
    FrontierPoint point;
    point.code = candidate.code;
    point.amplitudes = candidate.amplitudes;
    point.changes = candidate.changes;
    point.agreement = candidate.measured.agreement;
    point.relative_logit_error = candidate.measured.relative_logit_error;
    point.synops_per_image = candidate.measured.synops_per_image;
    point.direct_macs_per_image = candidate.measured.direct_macs_per_image;
    return point;
  }

  // The cheapest candidate on which both halves together agree as wanted and which the second half
  // confirms; if there is none, the candidate that differs least.
  Result<SearchResult> Choose() {
    std::stable_sort(tried_.begin(), tried_.end(), Cheaper);
    SearchResult result;
    const Candidate* chosen = nullptr;
    const Candidate* closest = nullptr;
    double highest = -1;  // agreement over both halves
    for (size_t i = 0; i < tried_.size(); ++i) {
      const Candidate& candidate = tried_[i];
      const double first = candidate.measured.agreement;
      // Otherwise the candidate is not on the frontier, because it costs more and agrees less.
      const bool may_be_chosen = chosen == nullptr && (first + 1) / 2 >= wanted_ &&
                                 candidate.measured.expected_agreement >= Least();
      if (!may_be_chosen && (first + 1) / 2 <= highest) continue;
      progress_("searching: second half", i, tried_.size());
      Comparison second;
      if (Status status = Measure(candidate, halves_[1], second); !status.ok()) return status;
      const double both = (first + second.agreement) / 2;
      const bool accepted = may_be_chosen && both >= wanted_ && second.agreement >= Least() &&
                            second.expected_agreement >= Least();
      if (!accepted && both <= highest) continue;
      if (both > highest) closest = &candidate;
      highest = std::max(highest, both);
      if (accepted) chosen = &candidate;
      FrontierPoint point = Describe(candidate);
      point.confirmed_agreement = second.agreement;
      point.expected_agreement = second.expected_agreement;
      point.chosen = accepted;
      result.frontier.push_back(point);
    }
    if (chosen == nullptr) {
      chosen = closest;
      result.frontier.back().chosen = true;
    }
    result.code = chosen->code;
    result.amplitudes = chosen->amplitudes;
    result.codes = chosen->codes;
    return result;
  }

  const Model& model_;
  const PreparedModel& prepared_;
  const ConvertOptions& options_;
  const double wanted_;  // agreement with the ANN
  const StageProgress& progress_;
  AnsweredImages halves_[2];
  std::vector<Candidate> tried_;
};

}  // namespace

Result<SearchResult> SearchCode(const Model& model, const PreparedModel& prepared,
                                const ImageSet& images, const ConvertOptions& options,
                                double tolerance, const StageProgress& progress) {
  return Search(model, prepared, images, options, tolerance, progress).Run();
}

}  // namespace cssrun::converter
