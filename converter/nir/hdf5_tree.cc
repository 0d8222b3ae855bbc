#include "converter/nir/hdf5_tree.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace cssrun::converter {
namespace {

constexpr uint64_t kEnd = 0x646e652d72696e2d;  // the last word

class Packer {
 public:
  void Put(uint64_t number) { Put(&number, sizeof(number)); }
  void Put(const std::string& text) {
    Put(text.size());
    Put(text.data(), text.size());
  }
  template <class T>
  void Put(const std::vector<T>& numbers) {
    Put(numbers.size());
    Put(numbers.data(), numbers.size() * sizeof(T));
  }
  std::vector<uint8_t> Take() { return std::move(bytes_); }

 private:
  void Put(const void* from, size_t size) {
    const uint8_t* first = static_cast<const uint8_t*>(from);
    bytes_.insert(bytes_.end(), first, first + size);
  }
  std::vector<uint8_t> bytes_;
};

// Every Get is false once something is missing.
class Unpacker {
 public:
  explicit Unpacker(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  bool Get(uint64_t& number) { return Get(&number, sizeof(number)); }
  bool Get(std::string& text) {
    uint64_t size = 0;
    if (!Get(size) || size > bytes_.size()) return false;
    text.resize(size);
    return Get(text.data(), size);
  }
  template <class T>
  bool Get(std::vector<T>& numbers) {
    uint64_t size = 0;
    if (!Get(size) || size > bytes_.size() / sizeof(T)) return false;
    numbers.resize(size);
    return Get(numbers.data(), size * sizeof(T));
  }
  bool at_end() const { return bytes_.empty(); }

 private:
  bool Get(void* to, size_t size) {
    if (size > bytes_.size()) return false;
    if (size > 0) std::memcpy(to, bytes_.data(), size);
    bytes_ = bytes_.subspan(size);
    return true;
  }
  std::span<const uint8_t> bytes_;
};

// Which of the variants the content is.
enum Content : uint64_t { kNumbers, kTexts, kProblem };

void Pack(const Hdf5Data& data, Packer& packer) {
  packer.Put(data.name);
  packer.Put(data.content.index());
  if (const auto* array = std::get_if<NirArray>(&data.content); array != nullptr) {
    packer.Put(array->shape);
    packer.Put(array->numbers);
  } else if (const auto* texts = std::get_if<std::vector<std::string>>(&data.content);
             texts != nullptr) {
    packer.Put(texts->size());
    for (const std::string& text : *texts) packer.Put(text);
  } else {
    packer.Put(std::get<Hdf5Problem>(data.content).text);
  }
}

void Pack(const Hdf5Group& group, Packer& packer) {
  packer.Put(group.name);
  packer.Put(group.data.size());
  for (const Hdf5Data& data : group.data) Pack(data, packer);
  packer.Put(group.groups.size());
  for (const Hdf5Group& inner : group.groups) Pack(inner, packer);
}

bool HasItsShape(const NirArray& array) {
  const std::vector<int64_t>& sides = array.shape;
  if (std::any_of(sides.begin(), sides.end(), [](int64_t side) { return side < 0; })) return false;
  if (std::count(sides.begin(), sides.end(), 0) > 0) return array.numbers.empty();
  uint64_t count = 1;
  for (const int64_t side : sides) {
    if (static_cast<uint64_t>(side) > array.numbers.size() / count) return false;
    count *= static_cast<uint64_t>(side);
  }
  return count == array.numbers.size();
}

bool Unpack(Unpacker& unpacker, Hdf5Data& data) {
  uint64_t kind = 0;
  if (!unpacker.Get(data.name) || !unpacker.Get(kind) || kind > kProblem) return false;
  if (kind == kNumbers) {
    NirArray array;
    if (!unpacker.Get(array.shape) || !unpacker.Get(array.numbers)) return false;
    const bool sound = HasItsShape(array);
    data.content = std::move(array);
    return sound;
  }
  if (kind == kProblem) {
    Hdf5Problem problem;
    const bool whole = unpacker.Get(problem.text);
    data.content = std::move(problem);
    return whole;
  }
  uint64_t count = 0;
  if (!unpacker.Get(count)) return false;
  std::vector<std::string> texts;
  for (uint64_t i = 0; i < count; ++i) {
    if (!unpacker.Get(texts.emplace_back())) return false;
  }
  data.content = std::move(texts);
  return true;
}

bool Unpack(Unpacker& unpacker, int depth, Hdf5Group& group) {
  uint64_t count = 0;
  if (depth > kMostHdf5Depth || !unpacker.Get(group.name) || !unpacker.Get(count)) return false;
  for (uint64_t i = 0; i < count; ++i) {
    if (!Unpack(unpacker, group.data.emplace_back())) return false;
  }
  if (!unpacker.Get(count)) return false;
  for (uint64_t i = 0; i < count; ++i) {
    if (!Unpack(unpacker, depth + 1, group.groups.emplace_back())) return false;
  }
  return true;
}

template <class T>
const T* Find(const std::vector<T>& items, const std::string& name) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const T& item) { return item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

}  // namespace

const Hdf5Group* Hdf5Group::FindGroup(const std::string& wanted) const {
  return Find(groups, wanted);
}
const Hdf5Data* Hdf5Group::FindData(const std::string& wanted) const { return Find(data, wanted); }

std::vector<uint8_t> PackHdf5(const Hdf5Group& root) {
  Packer packer;
  Pack(root, packer);
  packer.Put(kEnd);
  return packer.Take();
}

std::optional<Hdf5Group> UnpackHdf5(std::span<const uint8_t> bytes) {
  Unpacker unpacker(bytes);
  Hdf5Group root;
  uint64_t end = 0;
  const bool whole = Unpack(unpacker, 0, root) && unpacker.Get(end) && end == kEnd;
  if (!whole || !unpacker.at_end()) return std::nullopt;
  return root;
}

}  // namespace cssrun::converter
