#include "converter/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "converter/network_builder.h"
#include "cssrun/batch.h"
#include "format/network_file.h"

namespace cssrun::converter {
namespace {

// A try may take so long that the search ends within minutes: images are left out of large models'.
constexpr double kSecondsPerTry = 0.5;
constexpr double kSynopsPerSecond = 3e10;  // of one core, roughly
constexpr size_t kFewestImages = 16;

// How many settings are followed up.
constexpr size_t kFollowedUp = 4;

struct Half {
  ImageSet images;
  std::vector<Logits> ann;
};

struct Candidate {
  CodeSettings code;
  AmplitudeSettings amplitudes;
  std::vector<NodeCode> codes;
  size_t tuned_layers = 0;
  Comparison measured;  // on the first half
  double cost = 0;      // SyOPs, and multiplications of pixels in SyOPs
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
    // Every other image, so that classes which lie one after another are in both halves.
    const size_t step = std::max<size_t>(1, images.pixels.size() / 2 / std::max<size_t>(each, 1));
    for (size_t i = 0; i < images.pixels.size(); ++i) {
      if (i / 2 % step != 0) continue;
      Half& half = halves_[i % 2];
      half.images.pixels.push_back(images.pixels[i]);
      half.images.truth.push_back(images.truth[i]);
      half.ann.push_back(prepared.calibration.logits[i]);
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
  Status Measure(const Candidate& candidate, const Half& half, Comparison& measured) const {
    ConvertOptions options = options_;
    options.code = candidate.code;
    const flatbuffers::DetachedBuffer bytes =
        SerializeNetwork(BuildFile(model_, prepared_, options, candidate.codes));
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

  // The settings of the whole network, with the usual amplitudes. Direct input first: it costs one
  // layer's multiplications and saves what the first layer's spikes would cost.
  Status TryNetworkSettings() {
    std::vector<CodeSettings> codes;
    const InputCoding input = InputCoding::kDirect;
    for (const uint32_t timesteps : {3U, 4U, 5U, 6U, 7U, 8U}) {
      codes.push_back(Code(timesteps, 2, 1, 0.6F, input));
      codes.push_back(Code(timesteps, 2, 2, 0.667F, input));
      codes.push_back(Code(timesteps, 2, 2, 0.75F, input));
      // All input comes before the first spike: a neuron fires where its digit rounds up.
      if (timesteps <= 6) codes.push_back(Code(timesteps, 2, timesteps - 1, 0.75F, input));
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

  // The cheapest candidates that stay within the tolerance, or nearly: rules and layers may still
  // bring them there; and always the one that agrees best.
  std::vector<Candidate> Promising(size_t count, double slack) const {
    std::vector<Candidate> sorted = tried_;
    std::stable_sort(sorted.begin(), sorted.end(), Cheaper);
    std::vector<Candidate> promising;
    for (const Candidate& candidate : sorted) {
      if (promising.size() < count && candidate.measured.agreement >= wanted_ - slack) {
        promising.push_back(candidate);
      }
    }
    if (promising.empty()) {
      promising.push_back(*std::max_element(tried_.begin(), tried_.end(),
                                            [](const Candidate& a, const Candidate& b) {
                                              return a.measured.agreement < b.measured.agreement;
                                            }));
    }
    return promising;
  }

  // Other amplitude rules and the other input for the most promising settings.
  Status TryRules() {
    constexpr double kSlack = 0.01;
    const std::vector<Candidate> promising = Promising(2 * kFollowedUp, kSlack);
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

  struct Change {
    size_t node = 0;
    double factor = 1;    // of the amplitudes
    float threshold = 0;  // added
    double saved = 0;     // SyOPs
    double error = 0;     // that the square of the relative logit error grows by

    double Gain() const { return saved / std::max(error, 1e-9); }
  };

  static void Apply(const Change& change, std::vector<NodeCode>& codes) {
    NodeCode& code = codes[change.node];
    for (double& amplitude : code.amplitudes) amplitude *= change.factor;
    code.threshold = std::min(0.95F, code.threshold + change.threshold);
  }

  Status TuneLayers() {
    constexpr double kSlack = 0.004;
    const std::vector<Candidate> promising = Promising(kFollowedUp, kSlack);
    for (const Candidate& start : promising) {
      if (Status status = TuneLayersOf(start); !status.ok()) return status;
    }
    return Status::Ok();
  }

  Status TuneLayersOf(const Candidate& start) {
    std::vector<Change> tries;
    for (size_t i = 0; i < prepared_.network.nodes.size(); ++i) {
      const SpikingNode& node = prepared_.network.nodes[i];
      if (node.kind != format::NodeKind::Neurons || node.quantized || node.cap.has_value())
        continue;
      for (const double factor : {0.9, 1.1, 1.25, 1.5}) tries.push_back({i, factor, 0});
      // Without effect where all input comes first: the digits are those of one number.
      if (start.code.silent_steps + 1 < start.code.timesteps) tries.push_back({i, 1, 0.1F});
    }
    const double base = Squared(start.measured.relative_logit_error);
    std::vector<Change> gains;
    for (size_t i = 0; i < tries.size(); ++i) {
      progress_("searching: layers", i, tries.size());
      Candidate candidate = start;
      Apply(tries[i], candidate.codes);
      if (Status status = Measure(candidate, halves_[0], candidate.measured); !status.ok()) {
        return status;
      }
      Change change = tries[i];
      change.saved = start.measured.synops_per_image - candidate.measured.synops_per_image;
      change.error = Squared(candidate.measured.relative_logit_error) - base;
      gains.push_back(change);
    }
    return TryCombinations(start, gains);
  }

  // By the price of an error: of each layer the change that is worth most at this price.
  Status TryCombinations(const Candidate& start, const std::vector<Change>& gains) {
    constexpr int kPrices = 10;
    double highest = 0;
    double lowest = std::numeric_limits<double>::infinity();
    for (const Change& change : gains) {
      if (change.saved <= 0 || change.error <= 0) continue;
      highest = std::max(highest, change.Gain());
      lowest = std::min(lowest, change.Gain());
    }
    if (highest == 0) return Status::Ok();
    std::vector<NodeCode> last = start.codes;
    for (int i = 0; i < kPrices; ++i) {
      const double price =
          highest * std::pow(lowest / highest, (i + 0.5) / static_cast<double>(kPrices));
      Candidate candidate = start;
      candidate.tuned_layers = 0;
      for (size_t node = 0; node < start.codes.size(); ++node) {
        const Change* best = nullptr;
        double worth = 0;
        for (const Change& change : gains) {
          if (change.node != node) continue;
          const double value = change.saved - price * change.error;
          if (value > worth) {
            worth = value;
            best = &change;
          }
        }
        if (best == nullptr) continue;
        Apply(*best, candidate.codes);
        ++candidate.tuned_layers;
      }
      const bool same =
          std::equal(last.begin(), last.end(), candidate.codes.begin(),
                     [](const NodeCode& a, const NodeCode& b) {
                       return a.amplitudes == b.amplitudes && a.threshold == b.threshold;
                     });
      if (same) continue;
      last = candidate.codes;
      if (Status status =
              Try(std::move(candidate), "searching: combinations", static_cast<size_t>(i), kPrices);
          !status.ok()) {
        return status;
      }
    }
    return Status::Ok();
  }

  static double Squared(double x) { return x * x; }

  static FrontierPoint Describe(const Candidate& candidate) {
    FrontierPoint point;
    point.code = candidate.code;
    point.amplitudes = candidate.amplitudes;
    point.tuned_layers = candidate.tuned_layers;
    point.agreement = candidate.measured.agreement;
    point.relative_logit_error = candidate.measured.relative_logit_error;
    point.synops_per_image = candidate.measured.synops_per_image;
    point.direct_macs_per_image = candidate.measured.direct_macs_per_image;
    return point;
  }

  // From the cheapest on, the first that both halves accept; if there is none, the one that differs
  // least.
  Result<SearchResult> Choose() {
    std::stable_sort(tried_.begin(), tried_.end(), Cheaper);
    SearchResult result;
    const Candidate* chosen = nullptr;
    const Candidate* closest = nullptr;
    double highest = -1;  // agreement over both halves
    for (size_t i = 0; i < tried_.size(); ++i) {
      const Candidate& candidate = tried_[i];
      const double first = candidate.measured.agreement;
      // Nobody wants what costs more and agrees less.
      const bool may_be_chosen = chosen == nullptr && first >= wanted_;
      if (!may_be_chosen && (first + 1) / 2 <= highest) continue;
      progress_("searching: second half", i, tried_.size());
      Comparison second;
      if (Status status = Measure(candidate, halves_[1], second); !status.ok()) return status;
      const bool accepted = may_be_chosen && second.agreement >= wanted_;
      const double both = (first + second.agreement) / 2;
      if (!accepted && both <= highest) continue;
      if (both > highest) closest = &candidate;
      highest = std::max(highest, both);
      if (accepted) chosen = &candidate;
      FrontierPoint point = Describe(candidate);
      point.confirmed_agreement = second.agreement;
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
  const double wanted_;  // agreement
  const StageProgress& progress_;
  Half halves_[2];
  std::vector<Candidate> tried_;
};

}  // namespace

Result<SearchResult> SearchCode(const Model& model, const PreparedModel& prepared,
                                const ImageSet& images, const ConvertOptions& options,
                                double tolerance, const StageProgress& progress) {
  return Search(model, prepared, images, options, tolerance, progress).Run();
}

}  // namespace cssrun::converter
