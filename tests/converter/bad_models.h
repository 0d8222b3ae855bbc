// ONNX models that cannot be converted, each for one reason, and what must be said about it.
#ifndef CSSRUN_TESTS_CONVERTER_BAD_MODELS_H_
#define CSSRUN_TESTS_CONVERTER_BAD_MODELS_H_

#include <ostream>
#include <string>
#include <vector>

namespace cssrun::converter::testing {

struct BadModel {
  std::string name;
  std::string bytes;               // of the file
  std::vector<std::string> parts;  // of the message: where it is, what it is, what to do
};

inline std::ostream& operator<<(std::ostream& out, const BadModel& model) {
  return out << model.name;
}

// Found while the model is read, simplified and checked.
std::vector<BadModel> BadModels();

// Found once images have run through it.
std::vector<BadModel> ModelsBadOnImages();

}  // namespace cssrun::converter::testing

#endif  // CSSRUN_TESTS_CONVERTER_BAD_MODELS_H_
