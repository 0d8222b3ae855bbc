// Which preprocessing a model is converted with: from what the user said, as cssconvert's options
// or as arguments of Python's convert(), to the format of its input.
#ifndef CSSRUN_TOOLS_CHOOSE_PREPROCESSING_H_
#define CSSRUN_TOOLS_CHOOSE_PREPROCESSING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cssrun/network.h"
#include "cssrun/status.h"

namespace cssrun::tools {

// What the user said; empty where nothing.
struct AskedPreprocessing {
  std::string preset = {};
  std::vector<float> mean = {};  // of pixels times scale, in the order of the model's channels
  std::vector<float> stddev = {};
  std::string scale = {};   // a number or a fraction, by which a pixel of 0..255 is multiplied
  std::string resize = {};  // N: the shorter side; HxW: stretched
  std::optional<std::string> fit = {};  // N or HxW; "" or "model": the model's size
  std::string crop = {};                // N or HxW
  std::string fill = {};                // a grey level, or R,G,B
  std::string channels = {};
  std::string interpolation = {};
  bool exif = false;
  // The images are of another size than the model's: whole frames. Where nothing else is said, they
  // are fitted in, since what a preset cuts out of a picture would be lost of a frame.
  bool whole_frames = false;
  // The model takes whole numbers from 0 to 255, and normalizes them itself.
  bool takes_bytes = false;
};

// For help texts.
inline constexpr char kPresetNames[] =
    "imagenet, torchvision, cifar10, mnist, keras, keras-caffe, tf";

// Returns `model`, the input of a model as it was read, with all of its preprocessing. `dashes`
// precedes the names of options in messages. Error: kInvalidArgument where options contradict each
// other or the model.
Result<InputFormat> ChoosePreprocessing(const AskedPreprocessing& asked, const InputFormat& model,
                                        std::string_view dashes);

// Parses "HxW", sides of images.
struct HeightAndWidth {
  uint32_t height = 0;
  uint32_t width = 0;
};
std::optional<HeightAndWidth> ParseHeightAndWidth(std::string_view text);

// Describes what pictures go through, for people: "rgb, shorter side to 256
// (bilinear), centre 224x224, mean 0.485,0.456,0.406, std 0.229,0.224,0.225".
std::string DescribePreprocessing(const InputFormat& input);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_CHOOSE_PREPROCESSING_H_
