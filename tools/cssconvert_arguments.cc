#include "tools/cssconvert_arguments.h"

#include <cctype>
#include <cstddef>
#include <map>

#include "converter/code_settings.h"
#include "fmt/format.h"
#include "tools/args.h"

namespace cssrun::tools {
namespace {

const std::string kUsualTolerance = "0.5";  // percent, of --auto
const std::string kModelSize = "model";     // of --fit
constexpr char kExamples[] =
    "  cssconvert model.onnx -o net.fb --calibration images/\n"
    "  cssconvert resnet.onnx -o net.fb --calibration images/ --labels names.txt \\\n"
    "      --preset imagenet --timesteps 8 --beta 2\n"
    "  cssconvert snn.nir -o net.fb --dt 1ms --reset subtract\n"
    "  cssconvert resnet.onnx --check photo.jpg expected.npy --preset imagenet";

const std::map<std::string, converter::InputCoding> kInputs = {
    {"css", converter::InputCoding::kCss}, {"direct", converter::InputCoding::kDirect}};
const std::map<std::string, converter::Coding> kCodings = {{"css", converter::Coding::kCss},
                                                           {"rate", converter::Coding::kRate}};
const std::map<std::string, converter::AmplitudeRule> kRules = {
    {"percentile", converter::AmplitudeRule::kPercentile},
    {"maximum", converter::AmplitudeRule::kMaximum},
    {"least-squares", converter::AmplitudeRule::kLeastSquares}};

const std::map<std::string, converter::Goal> kGoals = {
    {"speed", converter::Goal::kSpeed},
    {"energy", converter::Goal::kEnergy},
    {"latency-steps", converter::Goal::kLatencySteps}};

const std::map<std::string, AnswerKind> kAnswers = {{"classes", AnswerKind::kClasses},
                                                    {"numbers", AnswerKind::kNumbers}};

constexpr char kTrainedOn[] = "What the model was trained on";

void DeclarePreprocessing(CLI::App& app, AskedPreprocessing& asked) {
  app.add_option(
         "--preset", asked.preset,
         std::string("usual values of what follows, each of which may be given beside it: ") +
             kPresetNames)
      ->group(kTrainedOn);
  app.add_option("--mean", asked.mean, "mean of pixel/255 per channel, r,g,b (0)")
      ->delimiter(',')
      ->group(kTrainedOn);
  app.add_option("--std", asked.stddev, "standard deviation of pixel/255 per channel (1)")
      ->delimiter(',')
      ->group(kTrainedOn);
  app.add_option("--scale", asked.scale,
                 "by what a pixel of 0..255 is multiplied before --mean and --std (1/255); 1 for "
                 "models that take 0..255")
      ->group(kTrainedOn);
  app.add_option("--resize", asked.resize,
                 "N: the shorter side to N, before the centre is cut out; HxW: stretched to that")
      ->type_name("N|HxW")
      ->group(kTrainedOn);
  app.add_option("--fit", asked.fit,
                 "the largest size that fits into HxW (the model's), with --fill around it")
      ->type_name("[HxW]")
      ->group(kTrainedOn);
  app.add_option("--crop", asked.crop,
                 "the centre that is cut out, which is the model's size; alone: do not resize")
      ->type_name("N|HxW")
      ->group(kTrainedOn);
  app.add_option("--fill", asked.fill, "colour around a picture that does not fill the image (0)")
      ->type_name("R,G,B")
      ->group(kTrainedOn);
  app.add_option("--channels", asked.channels, "rgb, bgr or grey")->group(kTrainedOn);
  app.add_option("--interpolation", asked.interpolation,
                 "bilinear, bicubic, area (these three as PIL, with antialiasing), nearest, or "
                 "linear (without it)")
      ->group(kTrainedOn);
  app.add_flag("--exif", asked.exif, "turn photos upright by their EXIF orientation")
      ->group(kTrainedOn);
}

// Whether `word` is the value of an option that may go without.
bool IsNumber(const std::string& word) {
  return !word.empty() && word.find_first_not_of("0123456789.") == std::string::npos;
}
bool IsSize(const std::string& word) {
  return !word.empty() && std::isdigit(static_cast<unsigned char>(word[0])) != 0 &&
         word.find_first_not_of("0123456789xX") == std::string::npos;
}

}  // namespace

void DeclareConvert(CLI::App& app, ConvertArguments& arguments) {
  converter::ConvertOptions& options = arguments.options;
  converter::CodeSettings& code = options.code;
  app.add_option("MODEL", arguments.model,
                 "the trained network: an ANN in ONNX (opset 7 to 23), or a spiking network in NIR")
      ->required();
  app.add_option("-o,--output", arguments.output, "the network file to write");
  app.add_option("--calibration", arguments.calibration,
                 "folder of images like those that will be classified; a few hundred do");

  DeclarePreprocessing(app, arguments.preprocessing);
  app.add_option("--labels", arguments.labels,
                 "file with one class name a line, in the order of the logits")
      ->group(kTrainedOn);
  app.add_option("--answer", arguments.answer,
                 "what the outputs are: classes (one vector of logits), numbers (anything else)")
      ->transform(OneOf(kAnswers, "classes|numbers"))
      ->option_text("classes|numbers")
      ->group(kTrainedOn);

  DeclareNir(app, arguments.nir);

  const std::string coding = "The spike code";
  app.add_option(
         "-T,--timesteps", code.timesteps,
         "spikes a value is coded in (12, or where no code is named at all: what --goal chooses)")
      ->check(CLI::Range(1, 256))
      ->group(coding);
  app.add_option("--beta", code.beta, "by how much a spike outweighs the next; 1.5 and 2 are fast")
      ->check(Between(1.0, 4.0))
      ->capture_default_str()
      ->group(coding);
  app.add_option("--silent", code.silent_steps, "silent steps L of each layer")
      ->check(CLI::Range(0, 8))
      ->capture_default_str()
      ->group(coding);
  app.add_option("--threshold", code.threshold,
                 "firing threshold as a share of the amplitude; the paper's is 0.5")
      ->check(Between(0.1, 1.5))
      ->capture_default_str()
      ->group(coding);
  app.add_option("--last-threshold", code.last_threshold,
                 "the same for a neuron's last spike; 0.5 rounds to nearest, 0.6 saves spikes")
      ->check(Between(0.1, 1.5))
      ->capture_default_str()
      ->group(coding);
  app.add_flag("--no-negative", arguments.no_negative, "neurons send positive spikes only")
      ->group(coding);
  app.add_option(
         "--input", arguments.input,
         "how pixels enter: css (spikes; from T = 6 on, but for exact codes of 7 or 8), direct "
         "(multiplications)")
      ->transform(OneOf(kInputs, "css|direct"))
      ->group(coding);
  app.add_option("--coding", arguments.coding,
                 "css, or rate: soft-reset IF neurons, the baseline of comparisons")
      ->transform(OneOf(kCodings, "css|rate"))
      ->group(coding);
  app.add_option("--amplitudes", options.amplitudes.rule,
                 "what a layer's amplitude must carry: percentile, maximum or least-squares")
      ->transform(OneOf(kRules, "percentile|maximum|least-squares"))
      ->group(coding);
  app.add_flag("--per-channel", options.amplitudes.per_channel,
               "an amplitude for each channel, where no identity joins it to others")
      ->group(coding);
  app.add_option("--adjust", options.amplitudes.adjust_rounds,
                 "rounds of the paper's adjustment (A18) of amplitudes to residual potentials")
      ->check(CLI::Range(0, 100))
      ->group(coding);
  app.add_option("--percentile", options.amplitudes.percentile,
                 "of a layer's activations, which its spikes can just carry")
      ->check(Between(0.0, 100.0))
      ->capture_default_str()
      ->group(coding);

  app.add_flag("--paper", arguments.paper,
               "the paper's code: T = 12, beta = 1.5, L = 1, threshold 0.5; other options of this "
               "group may change one of them")
      ->group(coding);

  const std::string choice = "The choice of the spike code, where none is named";
  app.add_option("--goal", arguments.goal,
                 "what is chosen among the codes that agree with the ANN: the least expected time "
                 "(speed, the default), the fewest SyOPs (energy), or the shortest latency in "
                 "steps (latency-steps)")
      ->transform(OneOf(kGoals, "speed|energy|latency-steps"))
      ->option_text("speed|energy|latency-steps")
      ->group(choice);
  app.add_option("--agree", arguments.agree,
                 fmt::format("percent of images on which the answers are expected to agree with "
                             "the ANN ({:g})",
                             converter::kEnoughAgreement * 100))
      ->check(Between(50.0, 100.0))
      ->type_name("PERCENT")
      ->group(choice);
  app.add_option("--auto", arguments.tolerance,
                 "--goal energy, with the percent of the calibration images on which the answers "
                 "may differ (0.5)")
      ->check(Between(0.0, 100.0))
      ->type_name("[PERCENT]")
      ->group(choice);
  app.add_option(
         "--input-size", arguments.input_size,
         "height and width of the images, where the model leaves them open, or they are others "
         "than its own: for "
         "models whose last map is pooled, whose means grow with it; pictures are fitted in, "
         "unless --resize or --crop say otherwise")
      ->type_name("HxW");
  app.add_option("--check", arguments.check,
                 "compare the model's logits on a picture with those that the framework gave, an "
                 "array of NumPy, and say how the preprocessing differs; needs no --output")
      ->expected(2)
      ->type_name("PICTURE NPY");
  app.add_option("--validate", arguments.validation,
                 "folder of other images on which to compare the result with the ANN");
  app.add_option("--report", arguments.report, "write the conversion report here, as JSON");
  app.add_option("--threads", options.threads, "for running the converted network (all cores)")
      ->check(CLI::Range(0, 1024));
  AddLimitOption(app, arguments.limits);
  app.callback([&arguments] {
    const bool converts = !arguments.output.empty() || !arguments.calibration.empty();
    if (!arguments.check.empty() && !converts) return;
    if (arguments.output.empty()) throw CLI::RequiredError("-o,--output");
    if (arguments.calibration.empty() && !IsNirFile(arguments.model))
      throw CLI::RequiredError("--calibration");
  });
  Prepare(app, kExamples);
}

Result<std::optional<converter::ImageSize>> ParseInputSize(const std::string& text) {
  if (text.empty()) return std::optional<converter::ImageSize>();
  const std::optional<HeightAndWidth> size = ParseHeightAndWidth(text);
  if (!size.has_value()) {
    return Status::InvalidArgument("--input-size " + text +
                                   ": neither side may be left out; give it as HxW, such as "
                                   "240x320");
  }
  return std::optional(converter::ImageSize{size->height, size->width});
}

std::vector<std::string> JoinOptionalValue(std::vector<std::string> joined) {
  for (size_t i = 1; i < joined.size(); ++i) {
    const bool search = joined[i] == "--auto";
    if (!search && joined[i] != "--fit") continue;
    const std::string next = i + 1 < joined.size() ? joined[i + 1] : "";
    const bool given = search ? IsNumber(next) : IsSize(next);
    joined[i] += "=" + (given ? next : search ? kUsualTolerance : kModelSize);
    if (given) joined.erase(joined.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
  return joined;
}

}  // namespace cssrun::tools
