#include "converter/default_code.h"

#include <algorithm>
#include <utility>

#include "converter/network_builder.h"
#include "converter/verdict.h"
#include "cssrun/batch.h"
#include "fmt/format.h"
#include "format/network_file.h"
#include "runtime/neuron/settled.h"

namespace cssrun::converter {
namespace {

// Fewer bits are never enough for a network that was not trained with them.
constexpr uint32_t kShortestTrain = 5;

// Multiply-accumulates that a try may take, so that the choice ends within a minute or two even for
// large models, and images below which an expectation means nothing.
constexpr double kMostMacs = 3e10;
constexpr size_t kFewestImages = 50;
constexpr size_t kMostImages = 400;

// Images from the whole list, evenly.
ImageSet Sample(const ImageSet& images, const std::vector<Logits>& ann, uint64_t macs,
                std::vector<Logits>& sampled_ann) {
  const size_t all = images.pixels.size();
  const auto affordable = static_cast<size_t>(kMostMacs / static_cast<double>(macs + 1));
  const size_t count = std::min(all, std::clamp(affordable, kFewestImages, kMostImages));
  ImageSet sample;
  for (size_t i = 0; i < count; ++i) {
    const size_t at = i * all / count;
    sample.pixels.push_back(images.pixels[at]);
    sample.truth.push_back(images.truth[at]);
    sampled_ann.push_back(ann[at]);
  }
  return sample;
}

std::vector<CodeSettings> Candidates(const ConvertOptions& options) {
  std::vector<CodeSettings> codes;
  for (uint32_t timesteps = kShortestTrain; timesteps <= internal::kLongestSettledTrain;
       ++timesteps) {
    codes.push_back(SettledCode(timesteps));
  }
  codes
      .emplace_back();  // the paper's code, for what even the longest settled train rounds too much
  for (CodeSettings& code : codes) code.negative_spikes = options.code.negative_spikes;
  return codes;
}

bool IsEnough(const TriedCode& tried) {
  return tried.in_integers && tried.expected_agreement >= kEnoughAgreement;
}

std::string NameOf(const CodeSettings& code) {
  return fmt::format("T = {}, beta = {:g}, L = {}", code.timesteps, code.beta, code.silent_steps);
}

}  // namespace

CodeSettings SettledCode(uint32_t timesteps) {
  CodeSettings code;
  code.timesteps = timesteps;
  code.beta = 2;
  code.silent_steps = timesteps - 1;
  // A neuron that has all of its input fires where its digit rounds up, so that it never takes a
  // spike back.
  code.threshold = 0.75F;
  code.input = InputCoding::kDirect;
  return code;
}

Result<CodeSettings> ChooseDefaultCode(const Model& model, const PreparedModel& prepared,
                                       const ImageSet& images, const ConvertOptions& options,
                                       const StageProgress& progress,
                                       std::vector<TriedCode>& tried) {
  std::vector<Logits> ann;
  const ImageSet sample = Sample(images, prepared.calibration.logits, prepared.network.macs, ann);
  const std::vector<CodeSettings> candidates = Candidates(options);
  for (size_t i = 0; i < candidates.size(); ++i) {
    progress("choosing T", i, candidates.size());
    ConvertOptions trial = options;
    trial.code = candidates[i];
    const std::vector<NodeCode> codes = ChooseAmplitudes(
        prepared.network, prepared.calibration, prepared.input, trial.code, trial.amplitudes);
    const flatbuffers::DetachedBuffer bytes =
        format::SerializeNetwork(BuildFile(model, prepared, trial, codes));
    Result<Comparison> measured = CompareWithAnn(
        {bytes.data(), bytes.size()}, sample, ann, options.threads, [](size_t, size_t) {},
        EngineKind::kInteger, Readings::kLeaveOut);
    if (!measured.ok()) return measured.status();
    tried.push_back({candidates[i], Likeness(measured.value()), false,
                     measured.value().engine == EngineKind::kInteger});
    if (IsEnough(tried.back())) break;
  }
  // The float engine is ten times slower, so a code that integers run well goes before all others.
  const auto runs_well = [](const TriedCode& t) {
    return t.in_integers && t.expected_agreement >= kGoodAgreement;
  };
  const auto worse = [&](const TriedCode& a, const TriedCode& b) {
    if (runs_well(a) != runs_well(b)) return runs_well(b);
    return a.expected_agreement < b.expected_agreement;
  };
  const auto best = IsEnough(tried.back()) ? std::prev(tried.end())
                                           : std::max_element(tried.begin(), tried.end(), worse);
  best->chosen = true;
  return best->code;
}

std::string ExplainCode(const std::vector<TriedCode>& tried, AnswerKind answer) {
  std::string all;
  const TriedCode* chosen = nullptr;
  for (const TriedCode& t : tried) {
    if (t.chosen) chosen = &t;
    all += fmt::format("{}{} {:.1f} %{}", all.empty() ? "" : ", ",
                       t.code.beta == 2 ? fmt::format("T = {}", t.code.timesteps) : NameOf(t.code),
                       t.expected_agreement * 100, t.in_integers ? "" : " in float");
  }
  if (chosen == nullptr) return "";
  const bool enough = IsEnough(*chosen);
  return fmt::format(
      "Chose {}: {} {} ({}); --timesteps and --beta name another code", NameOf(chosen->code),
      enough ? fmt::format("the shortest train with {:.1f} %", kEnoughAgreement * 100)
             : fmt::format("none has {:.1f} % in integers, it is the best of them in",
                           kEnoughAgreement * 100),
      answer == AnswerKind::kClasses ? "expected agreement with the ANN"
                                     : "likeness to the ANN, which is 1 less the relative error",
      all);
}

}  // namespace cssrun::converter
