#include "converter/verdict.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "converter/default_code.h"
#include "converter/own_network.h"
#include "cssrun/batch.h"
#include "fmt/format.h"
#include "format/network_file.h"
#include "runtime/neuron/settled.h"

namespace cssrun::converter {
namespace {

// Synaptic operations that the float engine may take, so that it delays no conversion by more than
// some seconds; and images.
constexpr double kMostSynops = 4e9;
constexpr size_t kFewestImages = 8;
constexpr size_t kMostImages = 128;

ImageSet FirstOf(const ImageSet& images, size_t count) {
  ImageSet first;
  const auto end = static_cast<std::ptrdiff_t>(std::min(count, images.pixels.size()));
  first.pixels.assign(images.pixels.begin(), images.pixels.begin() + end);
  first.truth.assign(images.truth.begin(), images.truth.begin() + end);
  return first;
}

Result<std::vector<Logits>> LogitsOf(std::span<const uint8_t> bytes, const ImageSet& images,
                                     unsigned threads, EngineKind engine) {
  Result<std::shared_ptr<const Network>> network =
      Network::FromBytes(bytes, "converted network", OwnNetwork(engine));
  if (!network.ok()) return network.status();
  std::vector<Logits> all(images.pixels.size());
  Status failure;
  const Status ran = RunImages(
      network.value(), {}, all.size(), threads,
      [&](size_t index, std::vector<uint8_t>& pixels) {
        pixels = images.pixels[index];
        return Status::Ok();
      },
      [&](size_t index, const ImageOutcome& outcome) {
        failure = outcome.status;
        all[index] = outcome.answer.logits;
        return failure.ok();
      });
  if (!ran.ok()) return ran;
  if (!failure.ok()) return failure;
  return all;
}

// |a - b| over all logits.
double Distance(const std::vector<Logits>& a, const std::vector<Logits>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t k = 0; k < a[i].size(); ++k) {
      const double difference = static_cast<double>(a[i][k]) - static_cast<double>(b[i][k]);
      sum += difference * difference;
    }
  }
  return std::sqrt(sum);
}

double Norm(const std::vector<Logits>& a) {
  double sum = 0;
  for (const Logits& logits : a) {
    for (const float v : logits) sum += static_cast<double>(v) * static_cast<double>(v);
  }
  return std::sqrt(sum);
}

// A setting that may help, and how the user asks for it.
struct Remedy {
  ConvertOptions options;
  std::string how;
};

std::string HowToAsk(const CodeSettings& code) {
  return fmt::format("--timesteps {} --beta {:g} --silent {} --threshold {:g}", code.timesteps,
                     code.beta, code.silent_steps, code.threshold);
}

bool SameCode(const CodeSettings& a, const CodeSettings& b) {
  return a.timesteps == b.timesteps && a.beta == b.beta && a.silent_steps == b.silent_steps &&
         a.threshold == b.threshold;
}

std::vector<Remedy> Remedies(const ConvertOptions& options) {
  std::vector<Remedy> remedies;
  const auto add = [&](const std::string& how) -> ConvertOptions& {
    return remedies.emplace_back(Remedy{options, how}).options;
  };
  // The search for a code has tried these two already, and found none better.
  const bool searched = options.search.has_value() && options.search->goal != Goal::kEnergy;
  const CodeSettings longest = SettledCode(internal::kLongestSettledTrain);
  for (CodeSettings code : {longest, CodeSettings()}) {
    code.negative_spikes = options.code.negative_spikes;
    if (!searched && !SameCode(code, options.code)) add(HowToAsk(code)).code = code;
  }
  if (options.amplitudes.rule != AmplitudeRule::kMaximum) {
    add("--amplitudes maximum").amplitudes.rule = AmplitudeRule::kMaximum;
  }
  if (options.amplitudes.rule != AmplitudeRule::kLeastSquares) {
    add("--amplitudes least-squares").amplitudes.rule = AmplitudeRule::kLeastSquares;
  }
  return remedies;
}

}  // namespace

Result<std::string> WhyFloat(std::span<const uint8_t> bytes, const ImageSet& images,
                             const std::vector<Logits>& ann, const Comparison& measured,
                             unsigned threads) {
  const auto affordable = static_cast<size_t>(kMostSynops / (measured.synops_per_image + 1));
  const ImageSet few = FirstOf(images, std::clamp(affordable, kFewestImages, kMostImages));
  const std::vector<Logits> exact(ann.begin(),
                                  ann.begin() + static_cast<std::ptrdiff_t>(few.pixels.size()));
  Result<std::vector<Logits>> integers = LogitsOf(bytes, few, threads, EngineKind::kInteger);
  if (!integers.ok()) return integers.status();
  Result<std::vector<Logits>> floats = LogitsOf(bytes, few, threads, EngineKind::kFloat);
  if (!floats.ok()) return floats.status();
  const double norm = Norm(exact);
  if (!(norm > 0)) return std::string();
  const double straying = Distance(integers.value(), floats.value()) / norm;
  const double of_float = Distance(floats.value(), exact) / norm;
  // Deep networks enlarge every rounding, so that two roundings differ more than each of them from
  // the ANN: only where integers are farther from the ANN than floats are they to blame.
  const double of_integers = Distance(integers.value(), exact) / norm;
  if (std::min(straying, of_integers) <= of_float + kMostStraying) return std::string();
  return fmt::format(
      "16-bit integers change its logits by {:.1f} %, while all else differs from the ANN by "
      "{:.1f} "
      "%",
      straying * 100, of_float * 100);
}

Result<std::string> FindRemedy(const Model& model, const PreparedModel& prepared,
                               const ImageSet& images, const ConvertOptions& options,
                               const Comparison& measured, const StageProgress& progress) {
  constexpr double kHelps = 0.01;
  const ImageSet few = FirstOf(images, kMostImages);
  const std::vector<Logits> ann(
      prepared.calibration.logits.begin(),
      prepared.calibration.logits.begin() + static_cast<std::ptrdiff_t>(few.pixels.size()));
  const std::vector<Remedy> remedies = Remedies(options);
  std::string best;
  double most = Likeness(measured) + kHelps;
  for (size_t i = 0; i < remedies.size(); ++i) {
    progress("looking for a remedy", i, remedies.size());
    const ConvertOptions& trial = remedies[i].options;
    const std::vector<NodeCode> codes = ChooseAmplitudes(
        prepared.network, prepared.calibration, prepared.input, trial.code, trial.amplitudes);
    const flatbuffers::DetachedBuffer bytes =
        format::SerializeNetwork(BuildFile(model, prepared, trial, codes));
    Result<Comparison> comparison = CompareWithAnn(
        {bytes.data(), bytes.size()}, few, ann, options.threads, [](size_t, size_t) {},
        EngineKind::kInteger, Readings::kLeaveOut);
    if (!comparison.ok()) return comparison.status();
    if (Likeness(comparison.value()) <= most) continue;
    most = Likeness(comparison.value());
    best = fmt::format("tried {}: {:.1f} % expected", remedies[i].how, most * 100);
  }
  if (!best.empty()) return best;
  return std::string(
      "neither the longest settled train nor other amplitudes help; check --mean and --std, and "
      "that the calibration images are like those that the model was trained on");
}

namespace {

// Names the layers in which errors grow most.
std::string WhereErrorsArise(const SpikingNetwork& network, const std::vector<double>& errors) {
  constexpr size_t kNamed = 3;
  constexpr double kNoteworthy = 0.005;
  struct Rise {
    size_t node;
    double from;
    double rise;
  };
  std::vector<Rise> rises;
  for (size_t i = 0; i < network.nodes.size(); ++i) {
    if (network.nodes[i].kind != format::NodeKind::Neurons) continue;
    double from = 0;
    for (const SpikingSynapses& s : network.nodes[i].synapses) {
      from = std::max(from, errors[s.source]);
    }
    if (errors[i] - from > kNoteworthy) rises.push_back({i, from, errors[i] - from});
  }
  std::ranges::sort(rises, [](const Rise& a, const Rise& b) { return a.rise > b.rise; });
  rises.resize(std::min(rises.size(), kNamed));
  std::string text;
  for (const Rise& rise : rises) {
    text += fmt::format("{}{} ({:.1f} % before it, {:.1f} % after)", text.empty() ? "" : ", ",
                        network.nodes[rise.node].name, rise.from * 100, errors[rise.node] * 100);
  }
  return text;
}

}  // namespace

std::string DescribeDisagreement(const Comparison& measured, const SpikingNetwork& network,
                                 const std::vector<double>& errors, const std::string& remedy) {
  const std::string where = WhereErrorsArise(network, errors);
  const std::string how =
      measured.agreement < 0
          ? fmt::format("its numbers differ from the ANN's by {:.1f} % on the calibration images",
                        measured.relative_logit_error * 100)
          : fmt::format(
                "it agrees with the ANN on only {:.1f} % of the calibration images (95 % and "
                "more is usual)",
                measured.agreement * 100);
  return fmt::format("{}; {}; what to try: {}", how,
                     where.empty() ? std::string("errors grow a little in every layer")
                                   : "errors arise in layer " + where,
                     remedy);
}

}  // namespace cssrun::converter
