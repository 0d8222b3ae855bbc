#include "converter/default_code.h"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "converter/network_builder.h"
#include "converter/own_network.h"
#include "converter/verdict.h"
#include "cssrun/batch.h"
#include "fmt/format.h"
#include "format/network_file.h"
#include "runtime/integer/cost.h"
#include "runtime/network/network_access.h"
#include "runtime/neuron/settled.h"

namespace cssrun::converter {
namespace {

// Two bits are never enough for a network that was not trained with them.
constexpr uint32_t kShortestTrain = 3;

// Multiply-accumulates that a try may take, so that the choice ends within a minute or two even for
// large models, and images below which an expectation means nothing.
constexpr double kMostMacs = 3e10;
constexpr size_t kFewestImages = 50;
constexpr size_t kMostImages = 400;
// Milliseconds that the images of a try may take on one thread, which codes of events need ten
// times as many of as settled ones.
constexpr double kMostMilliseconds = 4000;
// A few images come first, and a code that is so far from the wanted agreement is not tried on the
// others.
constexpr size_t kFirstImages = 16;
constexpr double kHopeless = 0.1;
// Expected times that differ by no more than this factor are the same: the kernels of levels take
// all settled trains alike.
constexpr double kEquallyFast = 1.02;
// Where no code agrees as wanted, expected agreements that differ by less are the same.
constexpr double kEquallyClose = 0.01;
// Networks whose weights are no more than these together stay in memory between being weighed and
// being measured; others are built twice.
constexpr uint64_t kMostKeptWeights = uint64_t{1} << 27;

// `count` of the images, evenly.
AnsweredImages Sample(const ImageSet& images, const std::vector<Logits>& ann, size_t count) {
  const size_t all = images.pixels.size();
  AnsweredImages sample;
  for (size_t i = 0; i < std::min(all, count); ++i) {
    sample.Add(images, ann, i * all / std::min(all, count));
  }
  return sample;
}

size_t AffordableImages(uint64_t macs) {
  const auto affordable = static_cast<size_t>(kMostMacs / static_cast<double>(macs + 1));
  return std::clamp(affordable, kFewestImages, kMostImages);
}

std::vector<CodeSettings> SettledCodes() {
  std::vector<CodeSettings> codes;
  for (uint32_t timesteps = kShortestTrain; timesteps <= internal::kLongestSettledTrain;
       ++timesteps) {
    codes.push_back(SettledCode(timesteps));
  }
  return codes;
}

// Codes whose layers wait less than two steps each; the threshold is what loses least. The shortest
// silence does not always agree, so longer ones follow.
std::vector<CodeSettings> QuickCodes() {
  struct Family {
    float beta;
    uint32_t silent_steps;
    float threshold;
  };
  constexpr Family kFamilies[] = {{2, 0, 0.5F},    {2, 1, 0.6F},    {2, 2, 0.667F},
                                  {1.5F, 0, 0.5F}, {1.5F, 1, 0.6F}, {1.5F, 2, 0.7F}};
  std::vector<CodeSettings> codes;
  for (const Family& family : kFamilies) {
    for (const uint32_t timesteps : {4U, 5U, 6U, 7U, 8U, 10U, 12U}) {
      if (family.beta == 2 && timesteps > internal::kLongestSettledTrain) continue;
      CodeSettings& code = codes.emplace_back();
      code.timesteps = timesteps;
      code.beta = family.beta;
      code.silent_steps = family.silent_steps;
      code.threshold = family.threshold;
      // Pixels that are multiplied are exact and take no steps.
      code.input = InputCoding::kDirect;
    }
  }
  return codes;
}

std::vector<CodeSettings> Candidates(const ConvertOptions& options, Goal goal) {
  std::vector<CodeSettings> codes = SettledCodes();
  if (goal == Goal::kLatencySteps) {
    const std::vector<CodeSettings> quick = QuickCodes();
    codes.insert(codes.end(), quick.begin(), quick.end());
  }
  // The paper's code, for what even the longest settled train rounds too much.
  codes.emplace_back();
  for (CodeSettings& code : codes) code.negative_spikes = options.code.negative_spikes;
  return codes;
}

std::string NameOf(const CodeSettings& code) {
  return fmt::format("T = {}, beta = {:g}, L = {}", code.timesteps, code.beta, code.silent_steps);
}

uint64_t WeightsOf(const SpikingNetwork& network) {
  uint64_t weights = 0;
  for (const SpikingNode& node : network.nodes) {
    for (const SpikingSynapses& synapses : node.synapses) {
      if (synapses.weights == nullptr) continue;
      weights += static_cast<uint64_t>(ElementCount(synapses.weights->shape));
    }
  }
  return weights;
}

struct Candidate {
  TriedCode tried;
  std::shared_ptr<const Network> network;  // null: must be built again
};

class Choice {
 public:
  Choice(const Model& model, const PreparedModel& prepared, const ImageSet& images,
         const ConvertOptions& options, const CodeSearch& search, const StageProgress& progress,
         std::vector<TriedCode>& tried)
      : model_(model),
        prepared_(prepared),
        options_(options),
        search_(search),
        progress_(progress),
        tried_(tried),
        kept_(kMostKeptWeights / (WeightsOf(prepared.network) + 1)) {
    sample_ = Sample(images, prepared.calibration.logits, AffordableImages(prepared.network.macs));
    first_ = Sample(sample_.images, sample_.ann, kFirstImages);
  }

  Result<CodeSettings> Run() {
    std::vector<Candidate> candidates;
    for (const CodeSettings& code : Candidates(options_, search_.goal)) {
      candidates.emplace_back().tried.code = code;
    }
    for (size_t i = 0; i < candidates.size(); ++i) {
      progress_("weighing codes", i, candidates.size());
      if (Status status = Weigh(candidates[i]); !status.ok()) return status;
    }
    std::stable_sort(
        candidates.begin(), candidates.end(),
        [this](const Candidate& a, const Candidate& b) { return Cheaper(a.tried, b.tried); });
    if (search_.goal == Goal::kSpeed) PreferExactCodes(candidates);
    for (size_t i = 0; i < candidates.size(); ++i) {
      progress_("trying codes", i, candidates.size());
      if (Status status = Measure(candidates[i]); !status.ok()) return status;
      candidates[i].network.reset();
      tried_.push_back(candidates[i].tried);
      if (IsEnough(tried_.back())) break;
    }
    TriedCode& best = IsEnough(tried_.back()) ? tried_.back() : Closest();
    best.chosen = true;
    return best.code;
  }

 private:
  // The float engine is ten times slower, so what integers cannot run goes last.
  bool Cheaper(const TriedCode& a, const TriedCode& b) const {
    if (a.in_integers != b.in_integers) return a.in_integers;
    if (search_.goal == Goal::kLatencySteps && a.latency_steps != b.latency_steps) {
      return a.latency_steps < b.latency_steps;
    }
    return a.expected_ms < b.expected_ms;
  }

  // Of codes that are equally fast, tries the longest train first: it rounds least.
  static void PreferExactCodes(std::vector<Candidate>& sorted) {
    for (auto first = sorted.begin(); first != sorted.end();) {
      const auto last = std::find_if(first, sorted.end(), [&](const Candidate& c) {
        return c.tried.in_integers != first->tried.in_integers ||
               c.tried.expected_ms > first->tried.expected_ms * kEquallyFast;
      });
      std::stable_sort(first, last, [](const Candidate& a, const Candidate& b) {
        return a.tried.code.timesteps > b.tried.code.timesteps;
      });
      first = last;
    }
  }

  bool IsEnough(const TriedCode& tried) const {
    return tried.in_integers && tried.expected_agreement >= search_.agreement;
  }

  // A code that integers run well goes before all others. Of those that are equally close, the
  // cheapest, which was tried first.
  TriedCode& Closest() {
    const auto runs_well = [](const TriedCode& t) {
      return t.in_integers && t.expected_agreement >= kGoodAgreement;
    };
    const TriedCode best =
        *std::ranges::max_element(tried_, [&](const TriedCode& a, const TriedCode& b) {
          if (runs_well(a) != runs_well(b)) return runs_well(b);
          return a.expected_agreement < b.expected_agreement;
        });
    return *std::ranges::find_if(tried_, [&](const TriedCode& t) {
      return runs_well(t) == runs_well(best) &&
             t.expected_agreement >= best.expected_agreement - kEquallyClose;
    });
  }

  flatbuffers::DetachedBuffer Build(const CodeSettings& code) const {
    ConvertOptions trial = options_;
    trial.code = code;
    const std::vector<NodeCode> codes = ChooseAmplitudes(
        prepared_.network, prepared_.calibration, prepared_.input, trial.code, trial.amplitudes);
    return format::SerializeNetwork(BuildFile(model_, prepared_, trial, codes));
  }

  // What the network tells without running.
  Status Weigh(Candidate& candidate) {
    if (Status status = Load(candidate); !status.ok()) return status;
    const internal::LoadedNetwork& loaded = internal::Loaded(*candidate.network);
    candidate.tried.in_integers = loaded.engine() == EngineKind::kInteger;
    candidate.tried.latency_steps = loaded.latency_steps;
    candidate.tried.expected_ms = internal::ExpectedMilliseconds(loaded);
    if (kept_ > 0) {
      --kept_;
    } else {
      candidate.network.reset();
    }
    return Status::Ok();
  }

  Status Load(Candidate& candidate) const {
    const flatbuffers::DetachedBuffer bytes = Build(candidate.tried.code);
    Result<std::shared_ptr<const Network>> network = Network::FromBytes(
        {bytes.data(), bytes.size()}, "converted network", OwnNetwork(EngineKind::kInteger));
    if (!network.ok()) return network.status();
    candidate.network = std::move(network).value();
    return Status::Ok();
  }

  // Of the sample, as many images as the code can run in a few seconds.
  AnsweredImages SampleFor(const TriedCode& code) const {
    const double most = kMostMilliseconds / std::max(code.expected_ms, 1e-3);
    const size_t all = sample_.images.pixels.size();
    return Sample(sample_.images, sample_.ann,
                  std::clamp(static_cast<size_t>(most), std::min(kFirstImages, all), all));
  }

  Status Measure(Candidate& candidate) const {
    if (candidate.network == nullptr) {
      if (Status status = Load(candidate); !status.ok()) return status;
    }
    TriedCode& tried = candidate.tried;
    const AnsweredImages affordable = SampleFor(tried);
    for (const AnsweredImages* sample : {&first_, &affordable}) {
      const Result<Comparison> measured = CompareWithAnn(
          candidate.network, sample->images, sample->ann, options_.threads, [](size_t, size_t) {},
          Readings::kLeaveOut);
      if (!measured.ok()) return measured.status();
      tried.expected_agreement = Likeness(measured.value());
      if (tried.expected_agreement < search_.agreement - kHopeless) break;
      if (sample == &first_ || !IsEnough(tried)) continue;
      // What agrees, but strays from the float engine, would be run by that one.
      const flatbuffers::DetachedBuffer bytes = Build(tried.code);
      const Result<std::string> why_float =
          WhyFloat({bytes.data(), bytes.size()}, sample->images, sample->ann, measured.value(),
                   options_.threads);
      if (!why_float.ok()) return why_float.status();
      tried.in_integers = why_float.value().empty();
    }
    return Status::Ok();
  }

  const Model& model_;
  const PreparedModel& prepared_;
  const ConvertOptions& options_;
  const CodeSearch& search_;
  const StageProgress& progress_;
  std::vector<TriedCode>& tried_;
  uint64_t kept_;  // networks that may still stay in memory
  AnsweredImages first_;
  AnsweredImages sample_;
};

std::string TableOf(const std::vector<TriedCode>& tried, AnswerKind answer) {
  const bool classes = answer == AnswerKind::kClasses;
  std::string text = fmt::format("\n{:1} {:<26}  {:>9}  {:>11}  {:>5}\n", "", "code",
                                 classes ? "agreement" : "likeness", "expected ms", "steps");
  for (const TriedCode& t : tried) {
    text += fmt::format("{:1} {:<26}  {:>7.1f} %  {:>11.3g}  {:>5}{}\n", t.chosen ? ">" : "",
                        NameOf(t.code), t.expected_agreement * 100, t.expected_ms, t.latency_steps,
                        t.in_integers ? "" : "  in float");
  }
  return text;
}

}  // namespace

CodeSettings SettledCode(uint32_t timesteps) {
  CodeSettings code;
  code.timesteps = timesteps;
  code.beta = 2;
  code.silent_steps = timesteps - 1;
  code.threshold = kSettledThreshold;
  code.input = InputCoding::kDirect;
  return code;
}

Result<CodeSettings> ChooseDefaultCode(const Model& model, const PreparedModel& prepared,
                                       const ImageSet& images, const ConvertOptions& options,
                                       const CodeSearch& search, const StageProgress& progress,
                                       std::vector<TriedCode>& tried) {
  return Choice(model, prepared, images, options, search, progress, tried).Run();
}

std::string ExplainCode(const std::vector<TriedCode>& tried, const CodeSearch& search,
                        AnswerKind answer) {
  const auto chosen =
      std::ranges::find_if(tried, [](const TriedCode& code) { return code.chosen; });
  if (chosen == tried.end()) return "";
  const bool enough = chosen->in_integers && chosen->expected_agreement >= search.agreement;
  const char* aim = search.goal == Goal::kSpeed ? "the fastest" : "the one of the fewest steps";
  const std::string wanted = fmt::format("{:g} %", search.agreement * 100);
  const std::string why =
      enough ? fmt::format("{} with {}", aim, wanted)
             : fmt::format("none has {} in integers, and this is {} within a point of the best, by",
                           wanted, aim);
  const char* measure = answer == AnswerKind::kClasses
                            ? "expected agreement with the ANN"
                            : "likeness to the ANN, which is 1 less the relative error";
  return fmt::format(
      "{}Chose {}: {} {}; --agree wants more or less, --timesteps and --beta name another code\n",
      TableOf(tried, answer), NameOf(chosen->code), why, measure);
}

}  // namespace cssrun::converter
