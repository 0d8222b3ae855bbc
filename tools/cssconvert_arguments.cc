#include "tools/cssconvert_arguments.h"

#include <cstddef>
#include <map>

#include "tools/args.h"

namespace cssrun::tools {
namespace {

const std::string kUsualTolerance = "0.5";  // percent, of --auto
constexpr char kExamples[] =
    "  cssconvert model.onnx -o net.fb --calibration images/\n"
    "  cssconvert resnet.onnx -o net.fb --calibration images/ --labels names.txt \\\n"
    "      --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --timesteps 8 --beta 2";

const std::map<std::string, converter::InputCoding> kInputs = {
    {"css", converter::InputCoding::kCss}, {"direct", converter::InputCoding::kDirect}};
const std::map<std::string, converter::Coding> kCodings = {{"css", converter::Coding::kCss},
                                                           {"rate", converter::Coding::kRate}};
const std::map<std::string, converter::AmplitudeRule> kRules = {
    {"percentile", converter::AmplitudeRule::kPercentile},
    {"maximum", converter::AmplitudeRule::kMaximum},
    {"least-squares", converter::AmplitudeRule::kLeastSquares}};

const std::map<std::string, AnswerKind> kAnswers = {{"classes", AnswerKind::kClasses},
                                                    {"numbers", AnswerKind::kNumbers}};

}  // namespace

void DeclareConvert(CLI::App& app, ConvertArguments& arguments) {
  converter::ConvertOptions& options = arguments.options;
  converter::CodeSettings& code = options.code;
  app.add_option("MODEL", arguments.model, "the trained network, ONNX (opset 7 to 23)")->required();
  app.add_option("-o,--output", arguments.output, "the network file to write")->required();
  app.add_option("--calibration", arguments.calibration,
                 "folder of images like those that will be classified; a few hundred do")
      ->required();

  const std::string pixels = "What the model was trained on";
  app.add_option("--mean", options.mean, "mean of pixel/255 per channel, r,g,b (0)")
      ->delimiter(',')
      ->group(pixels);
  app.add_option("--std", options.stddev, "standard deviation of pixel/255 per channel (1)")
      ->delimiter(',')
      ->group(pixels);
  app.add_option("--resize", options.resize,
                 "shorter side before the centre is cut out (the image's own size)")
      ->group(pixels);
  app.add_option("--labels", arguments.labels,
                 "file with one class name a line, in the order of the logits")
      ->group(pixels);
  app.add_option("--answer", arguments.answer,
                 "what the outputs are: classes (one vector of logits), numbers (anything else)")
      ->transform(
          CLI::CheckedTransformer(kAnswers, CLI::ignore_case).description("classes|numbers"))
      ->group(pixels);

  const std::string coding = "The spike code";
  app.add_option("-T,--timesteps", code.timesteps, "spikes a value is coded in")
      ->check(CLI::Range(1, 256))
      ->capture_default_str()
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
  app.add_option("--input", arguments.input,
                 "how pixels enter: css (spikes; from T = 6 on), direct (multiplications)")
      ->transform(CLI::CheckedTransformer(kInputs, CLI::ignore_case).description("css|direct"))
      ->group(coding);
  app.add_option("--coding", arguments.coding,
                 "css, or rate: soft-reset IF neurons, the baseline of comparisons")
      ->transform(CLI::CheckedTransformer(kCodings, CLI::ignore_case).description("css|rate"))
      ->group(coding);
  app.add_option("--amplitudes", options.amplitudes.rule,
                 "what a layer's amplitude must carry: percentile, maximum or least-squares")
      ->transform(CLI::CheckedTransformer(kRules, CLI::ignore_case)
                      .description("percentile|maximum|least-squares"))
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

  app.add_option(
         "--auto", arguments.tolerance,
         "search for the cheapest code that differs from the ANN on at most so many percent "
         "of the calibration images (0.5)")
      ->check(Between(0.0, 100.0))
      ->type_name("[PERCENT]")
      ->group(coding);
  app.add_option("--validate", arguments.validation,
                 "folder of other images on which to compare the result with the ANN");
  app.add_option("--report", arguments.report, "write the conversion report here, as JSON");
  app.add_option("--threads", options.threads, "for running the converted network (all cores)")
      ->check(CLI::Range(0, 1024));
  AddLimitOption(app, arguments.limits);
  Prepare(app, kExamples);
}

std::vector<std::string> JoinOptionalValue(std::vector<std::string> joined) {
  for (size_t i = 1; i < joined.size(); ++i) {
    if (joined[i] != "--auto") continue;
    const std::string next = i + 1 < joined.size() ? joined[i + 1] : "";
    const bool number = !next.empty() && next.find_first_not_of("0123456789.") == std::string::npos;
    joined[i] += "=" + (number ? next : kUsualTolerance);
    if (number) joined.erase(joined.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
  return joined;
}

}  // namespace cssrun::tools
