#include "tools/choose_preprocessing.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "fmt/format.h"

namespace cssrun::tools {
namespace {

constexpr char kNoSize[] = "neither N nor HxW, from 1 to 16384";
constexpr uint32_t kLongestSide = 16384;  // of the network's file

// What people train with. Without numbers, resizing is as without a preset.
struct Preset {
  const char* name;
  double scale;
  std::vector<float> mean;
  std::vector<float> stddev;
  Resizing resizing;
  Interpolation interpolation;
  Colours colours;
};

const std::vector<Preset>& Presets() {
  constexpr double kUnit = 1.0 / 255;
  static const std::vector<float> mean = {0.485F, 0.456F, 0.406F};
  static const std::vector<float> stddev = {0.229F, 0.224F, 0.225F};
  static const std::vector<Preset> presets = {
      {"imagenet", kUnit, mean, stddev, Resizing::kShorterSide, Interpolation::kBilinear,
       Colours::kRgb},
      {"torchvision", kUnit, mean, stddev, Resizing::kShorterSide, Interpolation::kBilinear,
       Colours::kRgb},
      {"cifar10",
       kUnit,
       {0.4914F, 0.4822F, 0.4465F},
       {0.2470F, 0.2435F, 0.2616F},
       Resizing::kCover,
       Interpolation::kBilinear,
       Colours::kRgb},
      {"mnist",
       kUnit,
       {0.1307F},
       {0.3081F},
       Resizing::kCover,
       Interpolation::kBilinear,
       Colours::kGrey},
      // load_img() and preprocess_input() of keras.applications, modes "tf" and "caffe".
      {"keras", kUnit, {0.5F}, {0.5F}, Resizing::kStretch, Interpolation::kNearest, Colours::kRgb},
      {"keras-caffe",
       1.0,
       {103.939F, 116.779F, 123.68F},
       {1.0F},
       Resizing::kStretch,
       Interpolation::kNearest,
       Colours::kBgr},
      // tf.image.resize().
      {"tf", kUnit, {0.5F}, {0.5F}, Resizing::kStretch, Interpolation::kLinear, Colours::kRgb}};
  return presets;
}

struct Named {
  const char* name;
  int value;
};
constexpr Named kInterpolations[] = {{"bilinear", static_cast<int>(Interpolation::kBilinear)},
                                     {"bicubic", static_cast<int>(Interpolation::kBicubic)},
                                     {"area", static_cast<int>(Interpolation::kArea)},
                                     {"nearest", static_cast<int>(Interpolation::kNearest)},
                                     {"linear", static_cast<int>(Interpolation::kLinear)}};
constexpr Named kColours[] = {{"rgb", static_cast<int>(Colours::kRgb)},
                              {"bgr", static_cast<int>(Colours::kBgr)},
                              {"grey", static_cast<int>(Colours::kGrey)},
                              {"gray", static_cast<int>(Colours::kGrey)}};

template <size_t count>
std::optional<int> Find(const Named (&names)[count], const std::string& name) {
  for (const Named& named : names) {
    if (name == named.name) return named.value;
  }
  return std::nullopt;
}

template <size_t count>
const char* NameOf(const Named (&names)[count], int value) {
  return std::ranges::find(names, value, &Named::value)->name;
}

struct Size {
  uint32_t height = 0;
  uint32_t width = 0;
  bool one_number = false;

  bool operator==(const Size& other) const = default;
};

std::optional<uint32_t> ParseSide(std::string_view text) {
  uint32_t side = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, side);
  const bool sound = error == std::errc() && stop == end && side >= 1 && side <= kLongestSide;
  return sound ? std::optional(side) : std::nullopt;
}

// Parses "N" or "HxW".
std::optional<Size> ParseSize(std::string_view text) {
  const size_t cross = text.find_first_of("xX");
  const std::optional<uint32_t> height = ParseSide(text.substr(0, cross));
  if (!height.has_value()) return std::nullopt;
  if (cross == std::string_view::npos) return Size{*height, *height, true};
  const std::optional<uint32_t> width = ParseSide(text.substr(cross + 1));
  if (!width.has_value()) return std::nullopt;
  return Size{*height, *width, false};
}

std::optional<double> ParseNumber(const std::string& text) {
  try {
    size_t used = 0;
    const double number = std::stod(text, &used);
    return used == text.size() && std::isfinite(number) ? std::optional(number) : std::nullopt;
  } catch (const std::logic_error&) {
    return std::nullopt;
  }
}

// Parses "1", "0.0039" or "1/255".
std::optional<double> ParseScale(const std::string& text) {
  const size_t slash = text.find('/');
  const std::optional<double> above = ParseNumber(text.substr(0, slash));
  const std::optional<double> below =
      slash == std::string::npos ? std::optional(1.0) : ParseNumber(text.substr(slash + 1));
  if (!above.has_value() || !below.has_value()) return std::nullopt;
  const double scale = *above / *below;
  // Far enough from the ends of a float that what follows is finite, too.
  return scale > 1e-9 && scale < 1e9 ? std::optional(scale) : std::nullopt;
}

std::optional<std::array<uint8_t, 3>> ParseColour(const std::string& text) {
  std::vector<uint8_t> levels;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    uint8_t level = 0;
    const char* const end = text.data() + comma;
    const auto [stop, error] = std::from_chars(text.data() + at, end, level);
    if (error != std::errc() || stop != end) return std::nullopt;
    levels.push_back(level);
    at = comma + 1;
  }
  if (levels.size() == 1) return std::array<uint8_t, 3>{levels[0], levels[0], levels[0]};
  if (levels.size() != 3) return std::nullopt;
  return std::array<uint8_t, 3>{levels[0], levels[1], levels[2]};
}

// Fills in an input format step by step, and keeps the first error.
class Chooser {
 public:
  Chooser(const AskedPreprocessing& asked, const InputFormat& model, std::string_view dashes)
      : asked_(asked), dashes_(dashes), input_(model) {}

  Result<InputFormat> Choose() {
    ChoosePreset();
    ChooseResizing();
    ChooseColours();
    ChooseInterpolation();
    ChooseFill();
    ChooseNormalization();
    input_.exif = asked_.exif;
    if (!status_.ok()) return status_;
    return std::move(input_);
  }

 private:
  // `value` is what the option was given, or empty.
  void Fail(const std::string& option, const std::string& value, const std::string& what) {
    if (!status_.ok()) return;
    const std::string given = value.empty() ? option : option + " " + value;
    status_ = Status::InvalidArgument(std::string(dashes_) + given + ": " + what);
  }

  std::string ModelTakes() const {
    return fmt::format("the model takes images of {} x {}", input_.height, input_.width);
  }
  std::string ModelChannels() const {
    return fmt::format("the model takes {} channel{}", input_.channels,
                       input_.channels == 1 ? "" : "s");
  }

  void ChoosePreset() {
    if (asked_.whole_frames) {
      input_.resizing = Resizing::kFit;
      SetSize(input_.height, input_.width);
    }
    // One channel is grey; before resizing, as most do, where anything at all is asked for.
    const bool any = !asked_.preset.empty() || !asked_.resize.empty() || asked_.fit.has_value() ||
                     !asked_.crop.empty() || !asked_.channels.empty() ||
                     !asked_.interpolation.empty() || asked_.exif;
    if (any && input_.channels == 1) input_.colours = Colours::kGrey;
    if (asked_.preset.empty()) return;
    const auto found = std::ranges::find(Presets(), asked_.preset,
                                         [](const Preset& p) { return std::string(p.name); });
    if (found == Presets().end()) {
      return Fail("preset", asked_.preset, std::string("there are ") + kPresetNames);
    }
    preset_ = &*found;
    if (preset_->mean.size() > 1 && input_.channels != preset_->mean.size() &&
        asked_.mean.empty()) {
      return Fail("preset", asked_.preset,
                  fmt::format("it has three channels, {1}; give {0}mean and {0}std", dashes_,
                              ModelChannels()));
    }
    if (input_.channels == 3) input_.colours = preset_->colours;
    input_.interpolation = preset_->interpolation;
    if (asked_.whole_frames) return;
    input_.resizing = preset_->resizing;
    if (preset_->resizing == Resizing::kStretch) SetSize(input_.height, input_.width);
    if (preset_->resizing == Resizing::kShorterSide) {
      // 256 for 224, and in proportion (torchvision's inception: 342 for 299).
      const double longer = std::max(input_.height, input_.width);
      input_.resize =
          std::min(static_cast<uint32_t>(std::lround(longer * 256 / 224)), kLongestSide);
    }
  }

  void SetSize(uint32_t height, uint32_t width) {
    input_.resize = 0;
    input_.resize_height = height;
    input_.resize_width = width;
  }

  void ChooseResizing() {
    if (asked_.fit.has_value() && !asked_.resize.empty()) {
      return Fail("fit", "",
                  fmt::format("{}resize says otherwise; leave one of the two out", dashes_));
    }
    if (!asked_.crop.empty()) {
      const std::optional<Size> size = ParseSize(asked_.crop);
      if (!size.has_value()) return Fail("crop", asked_.crop, kNoSize);
      if (size->height != input_.height || size->width != input_.width) {
        return Fail("crop", asked_.crop, ModelTakes() + ", which are cut out");
      }
      if (asked_.resize.empty() && !asked_.fit.has_value() && preset_ == nullptr) {
        input_.resizing = Resizing::kNone;
        SetSize(0, 0);
      }
    }
    if (asked_.fit.has_value()) ChooseFit();
    if (!asked_.resize.empty()) ChooseResize();
  }

  void ChooseFit() {
    const std::optional<Size> size = asked_.fit->empty() || *asked_.fit == "model"
                                         ? Size{input_.height, input_.width, false}
                                         : ParseSize(*asked_.fit);
    if (!size.has_value()) return Fail("fit", *asked_.fit, kNoSize);
    input_.resizing = Resizing::kFit;
    SetSize(size->height, size->width);
    CheckCovers("fit", *asked_.fit, *size);
  }

  void ChooseResize() {
    const std::optional<Size> size = ParseSize(asked_.resize);
    if (!size.has_value()) return Fail("resize", asked_.resize, kNoSize);
    if (!size->one_number) {
      input_.resizing = Resizing::kStretch;
      SetSize(size->height, size->width);
      return CheckCovers("resize", asked_.resize, *size);
    }
    input_.resizing = Resizing::kShorterSide;
    SetSize(0, 0);
    input_.resize = size->height;
    if (size->height < std::min(input_.height, input_.width)) {
      Fail("resize", asked_.resize, ModelTakes());
    }
  }

  // What is resized to a size of its own is the model's image, or has it in its middle.
  void CheckCovers(const char* option, const std::string& text, const Size& size) {
    if (size.height >= input_.height && size.width >= input_.width) return;
    Fail(option, text, ModelTakes());
  }

  void ChooseColours() {
    if (asked_.channels.empty()) return;
    const std::optional<int> colours = Find(kColours, asked_.channels);
    if (!colours.has_value()) {
      return Fail("channels", asked_.channels, "there are rgb, bgr and grey");
    }
    const auto chosen = static_cast<Colours>(*colours);
    const bool fits = input_.channels == 3 || (input_.channels == 1 && chosen == Colours::kGrey);
    if (!fits) return Fail("channels", asked_.channels, ModelChannels());
    input_.colours = chosen;
  }

  void ChooseInterpolation() {
    if (asked_.interpolation.empty()) return;
    const std::optional<int> chosen = Find(kInterpolations, asked_.interpolation);
    if (!chosen.has_value()) {
      return Fail("interpolation", asked_.interpolation,
                  "there are bilinear, bicubic, area, nearest and linear");
    }
    if (input_.resizing == Resizing::kNone) {
      return Fail("interpolation", asked_.interpolation,
                  fmt::format("{0}crop alone does not resize; give {0}resize, too", dashes_));
    }
    input_.interpolation = static_cast<Interpolation>(*chosen);
  }

  void ChooseFill() {
    if (asked_.fill.empty()) return;
    const std::optional<std::array<uint8_t, 3>> fill = ParseColour(asked_.fill);
    if (!fill.has_value()) {
      return Fail("fill", asked_.fill, "a level from 0 to 255, or three of them, as 124,116,104");
    }
    if (input_.resizing == Resizing::kCover || input_.resizing == Resizing::kStretch) {
      return Fail("fill", asked_.fill,
                  fmt::format("nothing is left to be filled; give {}fit, too", dashes_));
    }
    input_.fill = *fill;
  }

  void ChooseBytes() {
    const std::optional<double> scale = ParseScale(asked_.scale.empty() ? "1" : asked_.scale);
    if (scale != 1.0 || !asked_.mean.empty() || !asked_.stddev.empty() || preset_ != nullptr) {
      const char* option = preset_ != nullptr       ? "preset"
                           : !asked_.mean.empty()   ? "mean"
                           : !asked_.stddev.empty() ? "std"
                                                    : "scale";
      return Fail(option, "",
                  fmt::format("the model takes pixels of 0 to 255 (uint8) and normalizes them "
                              "itself; leave it out ({}resize and {}crop say what a preset says of "
                              "sizes)",
                              dashes_, dashes_));
    }
    input_.mean.assign(input_.channels, 0);
    input_.stddev.assign(input_.channels, 1.0F / 255);
  }

  // The file has mean and deviation of pixel / 255.
  void ChooseNormalization() {
    if (asked_.takes_bytes) return ChooseBytes();
    double scale = preset_ != nullptr ? preset_->scale : 1.0 / 255;
    input_.mean = asked_.mean;
    input_.stddev = asked_.stddev;
    if (!asked_.scale.empty()) {
      const std::optional<double> given = ParseScale(asked_.scale);
      if (!given.has_value()) {
        return Fail("scale", asked_.scale, "a positive number or a fraction, as 1 or 1/255");
      }
      scale = *given;
    } else if (preset_ != nullptr) {
      if (input_.mean.empty()) input_.mean = preset_->mean;
      if (input_.stddev.empty()) input_.stddev = preset_->stddev;
    }
    Spread("mean", 0, input_.mean);
    Spread("std", 1, input_.stddev);
    const double unit = std::abs(255 * scale - 1) < 1e-9 ? 1.0 : 255 * scale;
    for (std::vector<float>* values : {&input_.mean, &input_.stddev}) {
      for (float& value : *values) value = static_cast<float>(static_cast<double>(value) / unit);
    }
    const bool positive = std::ranges::all_of(input_.stddev, [](float v) { return v > 0; });
    if (!positive) Fail("std", "", ModelChannels() + ", and each deviation is positive");
  }

  void Spread(const char* option, float fallback, std::vector<float>& values) {
    if (values.empty()) values.push_back(fallback);
    if (values.size() == 1) values.resize(input_.channels, values[0]);
    if (!std::ranges::all_of(values, [](float v) { return std::isfinite(v); })) {
      return Fail(option, "", "not a finite number");
    }
    if (values.size() != input_.channels) Fail(option, "", ModelChannels());
  }

  const AskedPreprocessing& asked_;
  const std::string_view dashes_;
  const Preset* preset_ = nullptr;
  InputFormat input_;
  Status status_;
};

}  // namespace

std::optional<HeightAndWidth> ParseHeightAndWidth(std::string_view text) {
  const std::optional<Size> size = ParseSize(text);
  if (!size.has_value() || size->one_number) return std::nullopt;
  return HeightAndWidth{size->height, size->width};
}

Result<InputFormat> ChoosePreprocessing(const AskedPreprocessing& asked, const InputFormat& model,
                                        std::string_view dashes) {
  return Chooser(asked, model, dashes).Choose();
}

std::string DescribePreprocessing(const InputFormat& input) {
  std::string text;
  if (input.exif) text += "upright by EXIF, ";
  if (input.channels == 3) {
    text += std::string(NameOf(kColours, static_cast<int>(input.colours))) + ", ";
  }
  const std::string size = fmt::format("{}x{}", input.resize_height, input.resize_width);
  switch (input.resizing) {
    case Resizing::kCover:
      text += fmt::format("shorter side to {} unless it is {}x{}", input.resize, input.height,
                          input.width);
      break;
    case Resizing::kShorterSide:
      text += fmt::format("shorter side to {}", input.resize);
      break;
    case Resizing::kStretch:
      text += "stretched to " + size;
      break;
    case Resizing::kFit:
      text += "fitted into " + size;
      break;
    case Resizing::kNone:
      text += "not resized";
      break;
  }
  if (input.resizing != Resizing::kNone) {
    text += fmt::format(" ({})", NameOf(kInterpolations, static_cast<int>(input.interpolation)));
  }
  text += fmt::format(", centre {}x{}", input.height, input.width);
  const auto numbers = [](const std::vector<float>& values) {
    const bool same = std::ranges::count(values, values.front()) == std::ssize(values);
    return fmt::format("{:.4g}",
                       fmt::join(values.begin(), same ? values.begin() + 1 : values.end(), ","));
  };
  return text + fmt::format(", mean {}, std {}", numbers(input.mean), numbers(input.stddev));
}

}  // namespace cssrun::tools
