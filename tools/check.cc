#include "tools/check.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <tuple>
#include <utility>

#include "converter/ann_run.h"
#include "converter/convert.h"
#include "fmt/format.h"
#include "tools/choose_preprocessing.h"
#include "tools/image_io.h"

namespace cssrun::tools {
namespace {

using converter::Logits;

// Frameworks' decoders and sums differ by less.
constexpr double kSame = 0.01;

// One way in which preprocessing may differ, as the options that bring it about.
struct Change {
  enum Of { kChannels, kNumbers, kSize, kFilter, kTurn } of;
  std::string flags;
  InputFormat input;  // the asked one with this change
};

// Options, as a user writes them and as they are understood.
struct Way {
  std::string flags;
  AskedPreprocessing asked;
};

struct Trial {
  std::string flags;  // "" for what was asked for
  InputFormat input;
  std::vector<uint8_t> pixels;
  double error = std::numeric_limits<double>::infinity();
};

// Copies what a change is of.
void Copy(Change::Of of, const InputFormat& from, InputFormat& to) {
  switch (of) {
    case Change::kChannels:
      to.colours = from.colours;
      return;
    case Change::kNumbers:
      to.mean = from.mean;
      to.stddev = from.stddev;
      return;
    case Change::kSize:
      to.resizing = from.resizing;
      to.resize = from.resize;
      to.resize_height = from.resize_height;
      to.resize_width = from.resize_width;
      return;
    case Change::kFilter:
      to.interpolation = from.interpolation;
      return;
    case Change::kTurn:
      to.exif = from.exif;
  }
}

// Makes this change in an input that has others already.
void Apply(const Change& change, InputFormat& input) { Copy(change.of, change.input, input); }

// The changes that these ways make; one that does not fit the model makes none.
std::vector<Change> ChangesBy(const std::vector<Way>& ways, Change::Of of,
                              const InputFormat& asked) {
  std::vector<Change> changes;
  for (const Way& way : ways) {
    const Result<InputFormat> chosen = ChoosePreprocessing(way.asked, asked, "--");
    if (!chosen.ok()) continue;
    changes.push_back({of, way.flags, asked});
    Copy(of, chosen.value(), changes.back().input);
  }
  return changes;
}

std::vector<Change> ChangesOfColours(const InputFormat& asked) {
  if (asked.channels != 3) return {};
  std::vector<Way> ways;
  for (const char* name : {"rgb", "bgr", "grey"}) {
    ways.push_back({std::string("--channels ") + name, {}});
    ways.back().asked.channels = name;
  }
  return ChangesBy(ways, Change::kChannels, asked);
}

Way Normalized(const char* flags, std::vector<float> mean, std::vector<float> stddev,
               const char* scale = "") {
  Way way{flags, {}};
  way.asked.mean = std::move(mean);
  way.asked.stddev = std::move(stddev);
  way.asked.scale = scale;
  return way;
}

// A model that takes bytes normalizes them itself.
std::vector<Change> ChangesOfNumbers(const InputFormat& asked, bool takes_bytes) {
  if (takes_bytes) return {};
  std::vector<Way> ways = {Normalized("--mean 0 --std 1", {0}, {1}),
                           Normalized("--scale 1", {}, {}, "1"),
                           Normalized("--mean 0.5 --std 0.5", {0.5F}, {0.5F}),
                           Normalized("--scale 1/128 --mean 1", {1}, {}, "1/128")};
  if (asked.channels == 3) {
    const std::vector<Way> of_colours = {
        Normalized("--mean 0.485,0.456,0.406 --std 0.229,0.224,0.225", {0.485F, 0.456F, 0.406F},
                   {0.229F, 0.224F, 0.225F}),
        Normalized("--mean 0.406,0.456,0.485 --std 0.225,0.224,0.229", {0.406F, 0.456F, 0.485F},
                   {0.225F, 0.224F, 0.229F}),
        Normalized("--mean 0.4914,0.4822,0.4465 --std 0.2470,0.2435,0.2616",
                   {0.4914F, 0.4822F, 0.4465F}, {0.2470F, 0.2435F, 0.2616F}),
        Normalized("--mean 0.4914,0.4822,0.4465 --std 0.2023,0.1994,0.2010",
                   {0.4914F, 0.4822F, 0.4465F}, {0.2023F, 0.1994F, 0.2010F}),
        Normalized("--scale 1 --mean 103.939,116.779,123.68", {103.939F, 116.779F, 123.68F}, {},
                   "1"),
        Normalized("--scale 1 --mean 123.68,116.779,103.939", {123.68F, 116.779F, 103.939F}, {},
                   "1")};
    ways.insert(ways.end(), of_colours.begin(), of_colours.end());
  } else if (asked.channels == 1) {
    ways.push_back(Normalized("--mean 0.1307 --std 0.3081", {0.1307F}, {0.3081F}));
  }
  return ChangesBy(ways, Change::kNumbers, asked);
}

std::vector<Change> ChangesOfSize(const InputFormat& asked) {
  const std::string size = fmt::format("{}x{}", asked.height, asked.width);
  const uint32_t longer = std::max(asked.height, asked.width);
  std::vector<Way> ways = {{"--resize " + size, {}}, {"--fit", {}}, {"--crop " + size, {}}};
  ways[0].asked.resize = size;
  ways[1].asked.fit = "";
  ways[2].asked.crop = size;
  for (const uint32_t side : {longer, longer * 256 / 224, longer * 8 / 7 + 1, 256U}) {
    ways.push_back({fmt::format("--resize {}", side), {}});
    ways.back().asked.resize = std::to_string(side);
  }
  return ChangesBy(ways, Change::kSize, asked);
}

std::vector<Change> ChangesOfFilter(const InputFormat& asked) {
  std::vector<Way> ways;
  for (const char* name : {"bilinear", "bicubic", "area", "nearest", "linear"}) {
    ways.push_back({std::string("--interpolation ") + name, {}});
    ways.back().asked.interpolation = name;
  }
  return ChangesBy(ways, Change::kFilter, asked);
}

// All changes, one at a time.
std::vector<Change> ChangesOf(const InputFormat& asked, bool takes_bytes) {
  std::vector<Change> all = ChangesOfColours(asked);
  for (const auto& some :
       {ChangesOfNumbers(asked, takes_bytes), ChangesOfSize(asked), ChangesOfFilter(asked)}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  all.push_back({Change::kTurn, asked.exif ? "without --exif" : "--exif", asked});
  all.back().input.exif = !asked.exif;
  return all;
}

double RelativeError(const std::vector<float>& logits, const std::vector<float>& expected) {
  double error = 0;
  double norm = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto wanted = static_cast<double>(expected[i]);
    error += std::pow(static_cast<double>(logits[i]) - wanted, 2);
    norm += wanted * wanted;
  }
  return norm > 0 ? std::sqrt(error / norm) : std::sqrt(error);
}

// Softmax; of one logit, the sigmoid.
std::vector<float> Probabilities(std::vector<float> logits) {
  if (logits.size() == 1) return {1 / (1 + std::exp(-logits[0]))};
  const float largest = *std::ranges::max_element(logits);
  float sum = 0;
  for (float& logit : logits) sum += logit = std::exp(logit - largest);
  for (float& logit : logits) logit /= sum;
  return logits;
}

bool AreProbabilities(const std::vector<float>& numbers) {
  double sum = 0;
  for (const float number : numbers) {
    if (number < 0 || number > 1) return false;
    sum += static_cast<double>(number);
  }
  return numbers.size() == 1 || std::abs(sum - 1) < 1e-3;
}

// Runs trials, and drops those that are the same as others.
class Laboratory {
 public:
  Laboratory(const converter::Graph& graph, const std::vector<float>& expected, const Image& image,
             const Image& upright)
      : graph_(graph),
        expected_(expected),
        probabilities_(AreProbabilities(expected)),
        image_(image),
        upright_(upright) {}

  Status Add(std::string flags, const InputFormat& input) {
    Trial trial{std::move(flags), input, {}};
    const Image& image = input.exif ? upright_ : image_;
    Status status = Preprocess(input, image.rgb, image.width, image.height, trial.pixels);
    if (!status.ok()) return status;
    if (seen_.insert({input.mean, input.stddev, trial.pixels}).second) {
      trials_.push_back(std::move(trial));
    }
    return status;
  }

  // Runs the trials that have been added since the last call, those of the same mean and deviation
  // together.
  Status Run() {
    for (size_t first = ran_; first < trials_.size();) {
      const InputFormat& input = trials_[first].input;
      const auto end =
          std::stable_partition(trials_.begin() + static_cast<std::ptrdiff_t>(first), trials_.end(),
                                [mean = input.mean, stddev = input.stddev](const Trial& trial) {
                                  return trial.input.mean == mean && trial.input.stddev == stddev;
                                });
      const auto last = static_cast<size_t>(end - trials_.begin());
      if (Status status = RunSome(first, last); !status.ok()) return status;
      first = last;
    }
    ran_ = trials_.size();
    return Status::Ok();
  }

  bool probabilities() const { return probabilities_; }
  const std::vector<Trial>& trials() const { return trials_; }

 private:
  using Key = std::tuple<std::vector<float>, std::vector<float>, std::vector<uint8_t>>;

  Status RunSome(size_t first, size_t last) {
    converter::ImageSet images;
    for (size_t i = first; i < last; ++i) {
      images.pixels.push_back(trials_[i].pixels);
      images.truth.push_back(-1);
    }
    InputFormat input = trials_[first].input;
    converter::FoldIntoNormalization(graph_, input);
    Result<std::vector<Logits>> logits =
        RunAnn(graph_, images, input, {}, nullptr, [](size_t, size_t) {});
    if (!logits.ok()) return logits.status();
    for (size_t i = first; i < last; ++i) {
      const Logits& came = logits.value()[i - first];
      if (came.size() != expected_.size()) {
        return Status::InvalidArgument(
            fmt::format("{} numbers; the model's output has {}", expected_.size(), came.size()));
      }
      trials_[i].error = RelativeError(came, expected_);
      if (probabilities_) {
        trials_[i].error =
            std::min(trials_[i].error, RelativeError(Probabilities(came), expected_));
      }
    }
    return Status::Ok();
  }

  const converter::Graph& graph_;
  const std::vector<float>& expected_;
  const bool probabilities_;
  const Image& image_;
  const Image& upright_;
  std::set<Key> seen_;
  std::vector<Trial> trials_;
  size_t ran_ = 0;
};

const Trial& BestOf(const std::vector<Trial>& trials) {
  return *std::ranges::min_element(trials, {}, &Trial::error);
}

// Tries changes of colours, numbers and size together, which people who trained elsewhere mix up
// at once; filters make small differences, and turned photos are rare.
Status TryThree(const InputFormat& asked, Laboratory& laboratory) {
  for (const Change& colours : ChangesOfColours(asked)) {
    for (const Change& numbers : ChangesOfNumbers(asked, /*takes_bytes=*/false)) {
      for (const Change& size : ChangesOfSize(asked)) {
        InputFormat all = colours.input;
        Apply(numbers, all);
        Apply(size, all);
        const std::string flags = colours.flags + " " + numbers.flags + " " + size.flags;
        if (Status s = laboratory.Add(flags, all); !s.ok()) return s;
      }
    }
  }
  return laboratory.Run();
}

// Tries single changes, two together where no single one suffices, and then three.
Status TryChanges(const InputFormat& asked, bool takes_bytes, Laboratory& laboratory) {
  const std::vector<Change> changes = ChangesOf(asked, takes_bytes);
  for (const Change& change : changes) {
    if (Status s = laboratory.Add(change.flags, change.input); !s.ok()) return s;
  }
  if (Status s = laboratory.Run(); !s.ok()) return s;
  if (BestOf(laboratory.trials()).error <= kSame) return Status::Ok();
  for (const Change& one : changes) {
    for (const Change& other : changes) {
      if (other.of <= one.of) continue;
      InputFormat both = one.input;
      Apply(other, both);
      if (Status s = laboratory.Add(one.flags + " " + other.flags, both); !s.ok()) return s;
    }
  }
  if (Status s = laboratory.Run(); !s.ok()) return s;
  // Without numbers there are no three to change together.
  if (takes_bytes || BestOf(laboratory.trials()).error <= kSame) return Status::Ok();
  return TryThree(asked, laboratory);
}

std::string Percent(double error) { return fmt::format("{:.3g} %", error * 100); }

std::string Describe(const InputFormat& asked, double error, const Laboratory& laboratory) {
  const char* const what = laboratory.probabilities() ? "probabilities" : "logits";
  const Trial& best = BestOf(laboratory.trials());
  std::string text;
  if (error <= kSame) {
    text =
        fmt::format("The ANN's {} are the framework's (they differ by {})", what, Percent(error));
    if (error > kSame / 10 && best.error < error / 10) {
      text += fmt::format("; even closer with {} ({})", best.flags, Percent(best.error));
    }
    return text + "\n";
  }
  text = fmt::format("The ANN's {} differ from the framework's by {} with: {}\n", what,
                     Percent(error), DescribePreprocessing(asked));
  if (best.error <= kSame) {
    return text + fmt::format("They are the same with {} (they differ by {})\n", best.flags,
                              Percent(best.error));
  }
  std::vector<const Trial*> order;
  for (const Trial& trial : laboratory.trials()) order.push_back(&trial);
  std::ranges::stable_sort(order, {}, [](const Trial* trial) { return trial->error; });
  text += "No other preprocessing that was tried gives them; the closest:\n";
  for (size_t i = 0; i < std::min<size_t>(order.size(), 3); ++i) {
    text += fmt::format("  {:>8}  {}\n", Percent(order[i]->error),
                        order[i]->flags.empty() ? "as asked" : order[i]->flags);
  }
  return text + "Is it this model, in inference mode (model.eval()), on this picture?\n";
}

}  // namespace

Result<CheckResult> CheckPreprocessing(const converter::Graph& graph, const InputFormat& input,
                                       const std::string& picture,
                                       const std::vector<float>& expected,
                                       const ImageLimits& limits) {
  const Result<Image> image = ReadImage(picture, limits);
  if (!image.ok()) return image.status();
  const Result<Image> upright = ReadImage(picture, limits, true);
  if (!upright.ok()) return upright.status();
  Laboratory laboratory(graph, expected, image.value(), upright.value());
  if (Status status = laboratory.Add("", input); !status.ok()) return status;
  if (Status status = laboratory.Run(); !status.ok()) return status;
  const double error = laboratory.trials().front().error;
  if (error > kSame / 10) {
    if (Status status = TryChanges(input, graph.takes_bytes, laboratory); !status.ok())
      return status;
  }
  return CheckResult{error <= kSame, Describe(input, error, laboratory)};
}

}  // namespace cssrun::tools
