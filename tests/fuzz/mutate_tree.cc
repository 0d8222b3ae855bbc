#include "tests/fuzz/mutate_tree.h"

#include <cmath>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace cssrun::fuzz {
namespace {

using converter::Hdf5Data;
using converter::Hdf5Group;
using converter::Hdf5Problem;
using converter::NirArray;
using Texts = std::vector<std::string>;

constexpr uint64_t kMostNumbers = 4096;

size_t Below(std::mt19937& random, size_t end) {
  return std::uniform_int_distribution<size_t>(0, end - 1)(random);
}

template <class T>
T& AnyOf(std::mt19937& random, std::vector<T>& items) {
  return items[Below(random, items.size())];
}

// All groups and all data of a tree.
struct Parts {
  std::vector<Hdf5Group*> groups;
  std::vector<Hdf5Data*> data;
  std::vector<NirArray*> arrays;
  std::vector<Texts*> texts;
};

void Collect(Hdf5Group& group, Parts& parts) {
  parts.groups.push_back(&group);
  for (Hdf5Data& data : group.data) {
    parts.data.push_back(&data);
    if (auto* array = std::get_if<NirArray>(&data.content)) parts.arrays.push_back(array);
    if (auto* texts = std::get_if<Texts>(&data.content)) parts.texts.push_back(texts);
  }
  for (Hdf5Group& inner : group.groups) Collect(inner, parts);
}

double AnyNumber(std::mt19937& random, double before) {
  static const std::vector<double> kEdges = {0,
                                             -0.0,
                                             1,
                                             -1,
                                             2,
                                             3,
                                             0.5,
                                             1e-3,
                                             1e-4,
                                             255,
                                             16384,
                                             16385,
                                             65536,
                                             2147483648.0,
                                             1e18,
                                             -1e18,
                                             1e-30,
                                             1e30,
                                             1e31,
                                             1e300,
                                             -1e300,
                                             5e-324,
                                             std::numeric_limits<double>::infinity(),
                                             -std::numeric_limits<double>::infinity(),
                                             std::nan("")};
  switch (Below(random, 4)) {
    case 0:
      return before + 1;
    case 1:
      return before * (Below(random, 2) == 0 ? -1 : 1000);
    default:
      return kEdges[Below(random, kEdges.size())];
  }
}

void ChangeNumbers(std::mt19937& random, NirArray& array) {
  if (array.numbers.empty()) return;
  const double number = AnyNumber(random, AnyOf(random, array.numbers));
  if (Below(random, 3) == 0) {
    array.numbers.assign(array.numbers.size(), number);
  } else {
    AnyOf(random, array.numbers) = number;
  }
}

// The numbers follow the shape, as those of a file do.
void ChangeShape(std::mt19937& random, NirArray& array) {
  std::vector<int64_t>& sides = array.shape;
  const size_t kind = Below(random, 4);
  if (kind == 0 || sides.empty()) {
    sides.insert(sides.begin() + static_cast<std::ptrdiff_t>(Below(random, sides.size() + 1)), 1);
  } else if (kind == 1) {
    sides.erase(sides.begin() + static_cast<std::ptrdiff_t>(Below(random, sides.size())));
  } else if (kind == 2) {
    std::swap(AnyOf(random, sides), AnyOf(random, sides));
  } else {
    AnyOf(random, sides) = static_cast<int64_t>(Below(random, 9));
  }
  uint64_t count = 1;
  for (const int64_t side : sides) count *= static_cast<uint64_t>(side);
  if (count > kMostNumbers) {
    sides = {2};
    count = 2;
  }
  array.numbers.resize(count, 1);
}

void ChangeTexts(std::mt19937& random, Parts& parts) {
  static const std::vector<const char*> kWords = {
      "Input",     "Output",   "Affine", "Linear", "Conv1d", "Conv2d", "SumPool2d",  "AvgPool2d",
      "Flatten",   "Scale",    "IF",     "LIF",    "LI",     "I",      "CubaLIF",    "CubaLI",
      "Threshold", "NIRGraph", "Delay",  "same",   "valid",  "",       "(passes on)"};
  Texts& texts = *AnyOf(random, parts.texts);
  const Texts& other = *AnyOf(random, parts.texts);
  const size_t kind = Below(random, 4);
  if (texts.empty() || kind == 0) {
    texts.insert(texts.end(), other.begin(), other.end());
  } else if (kind == 1 && texts.size() > 1) {
    // An edge, or half of one.
    texts.erase(texts.begin() + static_cast<std::ptrdiff_t>(Below(random, texts.size())));
    if (Below(random, 8) > 0) texts.pop_back();
  } else if (kind == 2 && !other.empty()) {
    AnyOf(random, texts) = other[Below(random, other.size())];
  } else {
    AnyOf(random, texts) = kWords[Below(random, kWords.size())];
  }
}

void Rename(std::mt19937& random, Parts& parts) {
  static const std::vector<const char*> kFields = {
      "weight",      "bias",        "stride",    "padding", "dilation",   "groups",
      "kernel_size", "input_shape", "start_dim", "end_dim", "input_type", "scale",
      "threshold",   "tau",         "tau_mem",   "tau_syn", "r",          "v_leak",
      "v_threshold", "v_reset",     "w_in",      "shape",   "type",       "edges"};
  AnyOf(random, parts.data)->name = kFields[Below(random, kFields.size())];
}

// Groups come, go and change places.
void ChangeGroups(std::mt19937& random, Parts& parts) {
  Hdf5Group& group = *AnyOf(random, parts.groups);
  const size_t kind = Below(random, 4);
  if (group.groups.empty() || kind == 0) {
    const Hdf5Group copy = *AnyOf(random, parts.groups);
    group.groups.push_back(copy);
  } else if (kind == 1) {
    group.groups.erase(group.groups.begin() +
                       static_cast<std::ptrdiff_t>(Below(random, group.groups.size())));
  } else if (kind == 2) {
    AnyOf(random, group.groups).name = AnyOf(random, group.groups).name;
  } else {
    AnyOf(random, group.groups).data.swap(AnyOf(random, group.groups).data);
  }
}

void ChangeData(std::mt19937& random, Parts& parts) {
  Hdf5Group& group = *AnyOf(random, parts.groups);
  const size_t kind = Below(random, 4);
  if (group.data.empty() || kind == 0) {
    Hdf5Data copy = *AnyOf(random, parts.data);
    group.data.push_back(std::move(copy));
  } else if (kind == 1) {
    group.data.erase(group.data.begin() +
                     static_cast<std::ptrdiff_t>(Below(random, group.data.size())));
  } else if (kind == 2) {
    AnyOf(random, group.data).content = AnyOf(random, parts.data)->content;
  } else {
    AnyOf(random, group.data).content = Hdf5Problem{"damaged"};
  }
}

}  // namespace

void MutateTree(std::mt19937& random, Hdf5Group& root) {
  Parts parts;
  Collect(root, parts);
  const size_t kind = Below(random, 12);
  if (parts.arrays.empty() || parts.texts.empty()) return ChangeGroups(random, parts);
  if (kind < 5) return ChangeNumbers(random, *AnyOf(random, parts.arrays));
  if (kind < 7) return ChangeShape(random, *AnyOf(random, parts.arrays));
  if (kind < 9) return ChangeTexts(random, parts);
  if (kind == 9) return Rename(random, parts);
  if (kind == 10) return ChangeGroups(random, parts);
  ChangeData(random, parts);
}

}  // namespace cssrun::fuzz
