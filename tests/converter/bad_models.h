// ONNX models that cannot be converted, each for one reason, with the parts of the expected
// message.
#ifndef CSSRUN_TESTS_CONVERTER_BAD_MODELS_H_
#define CSSRUN_TESTS_CONVERTER_BAD_MODELS_H_

#include <ostream>
#include <string>
#include <vector>

namespace cssrun::converter::testing {

struct BadModel {
  std::string name;
  std::string bytes;               // of the model's file
  std::vector<std::string> parts;  // of the message: the place, the mistake, the remedy
};

inline std::ostream& operator<<(std::ostream& out, const BadModel& model) {
  return out << model.name;
}

// Models whose mistake is found while they are read, simplified and checked.
std::vector<BadModel> BadModels();

// Models whose mistake is found only once images have run through them.
std::vector<BadModel> ModelsBadOnImages();

}  // namespace cssrun::converter::testing

#endif  // CSSRUN_TESTS_CONVERTER_BAD_MODELS_H_
