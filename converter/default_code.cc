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
// A few images come first, and a code that is so far from what is wanted is not tried on the
// others.
constexpr size_t kFirstImages = 16;
constexpr double kHopeless = 0.1;
// Expected times that differ by no more than this factor are the same: the kernels of levels take
// all settled trains alike.
constexpr double kEquallyFast = 1.02;

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
        tried_(tried) {
    sample_ = Sample(images, prepared.calibration.logits, AffordableImages(prepared.network.macs));
    first_ = Sample(sample_.images, sample_.ann, kFirstImages);
  }

  Result<CodeSettings> Run() {
    std::vector<TriedCode> candidates;
    for (const CodeSettings& code : Candidates(options_, search_.goal)) {
      candidates.emplace_back().code = code;
    }
    for (size_t i = 0; i < candidates.size(); ++i) {
      progress_("weighing codes", i, candidates.size());
      if (Status status = Weigh(candidates[i]); !status.ok()) return status;
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [this](const TriedCode& a, const TriedCode& b) { return Cheaper(a, b); });
    if (search_.goal == Goal::kSpeed) PreferExactCodes(candidates);
    for (size_t i = 0; i < candidates.size(); ++i) {
      progress_("trying codes", i, candidates.size());
      if (Status status = Measure(candidates[i]); !status.ok()) return status;
      tried_.push_back(candidates[i]);
      if (IsEnough(candidates[i])) break;
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
  static void PreferExactCodes(std::vector<TriedCode>& sorted) {
    for (auto first = sorted.begin(); first != sorted.end();) {
      const auto last = std::find_if(first, sorted.end(), [&](const TriedCode& t) {
        return t.in_integers != first->in_integers ||
               t.expected_ms > first->expected_ms * kEquallyFast;
      });
      std::stable_sort(first, last, [](const TriedCode& a, const TriedCode& b) {
        return a.code.timesteps > b.code.timesteps;
      });
      first = last;
    }
  }

  bool IsEnough(const TriedCode& tried) const {
    return tried.in_integers && tried.expected_agreement >= search_.agreement;
  }

  // A code that integers run well goes before all others.
  TriedCode& Closest() {
    const auto runs_well = [](const TriedCode& t) {
      return t.in_integers && t.expected_agreement >= kGoodAgreement;
    };
    return *std::ranges::max_element(tried_, [&](const TriedCode& a, const TriedCode& b) {
      if (runs_well(a) != runs_well(b)) return runs_well(b);
      return a.expected_agreement < b.expected_agreement;
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
  Status Weigh(TriedCode& candidate) const {
    const flatbuffers::DetachedBuffer bytes = Build(candidate.code);
    const Result<std::shared_ptr<const Network>> network = Network::FromBytes(
        {bytes.data(), bytes.size()}, "converted network", OwnNetwork(EngineKind::kInteger));
    if (!network.ok()) return network.status();
    const internal::LoadedNetwork& loaded = internal::Loaded(*network.value());
    candidate.in_integers = loaded.engine() == EngineKind::kInteger;
    candidate.latency_steps = loaded.latency_steps;
    candidate.expected_ms = internal::ExpectedMilliseconds(loaded);
    return Status::Ok();
  }

  Status Measure(TriedCode& candidate) const {
    const flatbuffers::DetachedBuffer bytes = Build(candidate.code);
    for (const AnsweredImages* sample : {&first_, &sample_}) {
      Result<Comparison> measured = CompareWithAnn(
          {bytes.data(), bytes.size()}, sample->images, sample->ann, options_.threads,
          [](size_t, size_t) {}, EngineKind::kInteger, Readings::kLeaveOut);
      if (!measured.ok()) return measured.status();
      candidate.expected_agreement = Likeness(measured.value());
      if (candidate.expected_agreement < search_.agreement - kHopeless) break;
      if (sample != &sample_ || !IsEnough(candidate)) continue;
      // What agrees, but strays from the float engine, would be run by that one.
      const Result<std::string> why_float =
          WhyFloat({bytes.data(), bytes.size()}, sample_.images, sample_.ann, measured.value(),
                   options_.threads);
      if (!why_float.ok()) return why_float.status();
      candidate.in_integers = why_float.value().empty();
    }
    return Status::Ok();
  }

  const Model& model_;
  const PreparedModel& prepared_;
  const ConvertOptions& options_;
  const CodeSearch& search_;
  const StageProgress& progress_;
  std::vector<TriedCode>& tried_;
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
             : fmt::format("none has {} in integers, it is the best of them in", wanted);
  const char* measure = answer == AnswerKind::kClasses
                            ? "expected agreement with the ANN"
                            : "likeness to the ANN, which is 1 less the relative error";
  return fmt::format(
      "{}Chose {}: {} {}; --agree wants more or less, --timesteps and --beta name another code\n",
      TableOf(tried, answer), NameOf(chosen->code), why, measure);
}

}  // namespace cssrun::converter
