#include "converter/nir/hdf5.h"

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace cssrun::converter {
namespace {

constexpr int kMostDimensions = 8;
constexpr uint64_t kMostChunkBytes = uint64_t{1} << 28;
constexpr size_t kMostTextBytes = 4096;
constexpr int kMostFilters = 8;

// An identifier of the library, closed at the end.
class Hdf5Id {
 public:
  using Close = herr_t (*)(hid_t);

  Hdf5Id(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Id(const Hdf5Id&) = delete;
  Hdf5Id& operator=(const Hdf5Id&) = delete;
  ~Hdf5Id() {
    if (id_ >= 0) close_(id_);
  }

  bool ok() const { return id_ >= 0; }
  hid_t get() const { return id_; }

 private:
  hid_t id_;
  Close close_;
};

Status Bad(const std::string& what) { return Status::BadModel(what); }
Status Damaged() { return Bad("damaged HDF5 file; export the model again"); }

// Collects names; anything but 0 ends the iteration.
struct Names {
  std::vector<std::string> names;
  uint64_t left = 0;
};

herr_t CollectName(hid_t /*group*/, const char* name, const H5L_info_t* info, void* context) {
  auto& names = *static_cast<Names*>(context);
  if (info->type != H5L_TYPE_HARD || names.names.size() >= names.left) return -1;
  try {
    names.names.emplace_back(name);
  } catch (...) {  // the library is C
    return -1;
  }
  return 0;
}

Status CheckChunks(hid_t plan, uint64_t item) {
  std::array<hsize_t, kMostDimensions> sides = {};
  const int rank = H5Pget_chunk(plan, kMostDimensions, sides.data());
  if (rank < 0 || rank > kMostDimensions) return Damaged();
  uint64_t bytes = item;
  for (int i = 0; i < rank; ++i) {
    const uint64_t side = sides.at(static_cast<size_t>(i));
    if (side == 0 || side > kMostChunkBytes / bytes) return Bad("a chunk is too large");
    bytes *= side;
  }
  return Status::Ok();
}

Status CheckFilters(hid_t plan) {
  const int filters = H5Pget_nfilters(plan);
  if (filters < 0 || filters > kMostFilters) return Damaged();
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0;
    size_t values = 0;
    unsigned config = 0;
    const H5Z_filter_t filter = H5Pget_filter2(plan, static_cast<unsigned>(i), &flags, &values,
                                               nullptr, 0, nullptr, &config);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
        filter != H5Z_FILTER_FLETCHER32) {
      return Bad("compressed otherwise than by gzip; export it with gzip or without");
    }
  }
  return Status::Ok();
}

// How the data lie in the file.
Status CheckStorage(hid_t data, uint64_t item) {
  const Hdf5Id plan(H5Dget_create_plist(data), H5Pclose);
  if (!plan.ok()) return Damaged();
  const H5D_layout_t layout = H5Pget_layout(plan.get());
  const bool inside = layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED;
  if (!inside || H5Pget_external_count(plan.get()) != 0) {
    return Bad("its data lie in another file; export the model into one file");
  }
  if (layout != H5D_CHUNKED) return Status::Ok();
  if (Status status = CheckChunks(plan.get(), item); !status.ok()) return status;
  return CheckFilters(plan.get());
}

// The shape of the data; its numbers are at most `most`.
Result<std::vector<int64_t>> ShapeOf(hid_t data, uint64_t most, uint64_t& count) {
  const Hdf5Id space(H5Dget_space(data), H5Sclose);
  if (!space.ok()) return Damaged();
  std::vector<int64_t> shape;
  count = 1;
  const H5S_class_t kind = H5Sget_simple_extent_type(space.get());
  if (kind == H5S_SCALAR) return shape;
  const int rank = H5Sget_simple_extent_ndims(space.get());
  if (kind != H5S_SIMPLE || rank < 0) return Damaged();
  if (rank > kMostDimensions) return Bad("more than 8 dimensions");
  std::array<hsize_t, kMostDimensions> sides = {};
  if (H5Sget_simple_extent_dims(space.get(), sides.data(), nullptr) != rank) return Damaged();
  for (int i = 0; i < rank; ++i) {
    const uint64_t side = sides.at(static_cast<size_t>(i));
    if (side > most || (side != 0 && count > most / side)) {
      return Bad("the model has more than 2^27 numbers");
    }
    count *= side;
    shape.push_back(static_cast<int64_t>(side));
  }
  return shape;
}

// Memory that the library allocates for texts of variable length, freed at the end.
struct Texts {
  explicit Texts(size_t count) : pointers(count, nullptr) {}
  ~Texts() {
    for (char* text : pointers) H5free_memory(text);
  }
  Texts(const Texts&) = delete;
  Texts& operator=(const Texts&) = delete;
  std::vector<char*> pointers;
};

Result<std::vector<std::string>> ReadTexts(hid_t data, hid_t type, size_t count) {
  const Hdf5Id memory(H5Tcopy(H5T_C_S1), H5Tclose);
  if (!memory.ok() || H5Tset_cset(memory.get(), H5Tget_cset(type)) < 0) return Damaged();
  std::vector<std::string> texts;
  if (H5Tis_variable_str(type) > 0) {
    if (H5Tset_size(memory.get(), H5T_VARIABLE) < 0) return Damaged();
    Texts read(count);
    if (H5Dread(data, memory.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, read.pointers.data()) < 0) {
      return Damaged();
    }
    for (const char* text : read.pointers) texts.emplace_back(text == nullptr ? "" : text);
    return texts;
  }
  const size_t size = H5Tget_size(type);
  if (size == 0 || size > kMostTextBytes) return Bad("a text of more than 4,096 bytes");
  if (H5Tset_size(memory.get(), size) < 0 || H5Tset_strpad(memory.get(), H5Tget_strpad(type)) < 0) {
    return Damaged();
  }
  std::vector<char> bytes(size * count);
  if (H5Dread(data, memory.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0) {
    return Damaged();
  }
  for (size_t i = 0; i < count; ++i) {
    const char* text = bytes.data() + i * size;
    texts.emplace_back(text, strnlen(text, size));
  }
  return texts;
}

using Content = decltype(Hdf5Data::content);

// What may still be read of a file.
struct Budget {
  uint64_t numbers = uint64_t{1} << 27;
  uint64_t names = uint64_t{1} << 20;
};

// Numbers of 1 to 8 bytes, converted by the library; h5py writes true and false as an enumeration
// of bytes.
Result<Content> ReadNumbers(hid_t data, hid_t type, NirArray array) {
  const size_t count = array.numbers.size();
  if (H5Tget_class(type) == H5T_ENUM) {
    std::vector<int8_t> bytes(count);
    if (H5Tget_size(type) != 1 ||
        H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0) {
      return Damaged();
    }
    std::copy(bytes.begin(), bytes.end(), array.numbers.begin());
  } else if (count > 0 && H5Dread(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                  array.numbers.data()) < 0) {
    return Damaged();
  }
  return Content(std::move(array));
}

Result<Content> ReadData(hid_t data, Budget& budget) {
  const Hdf5Id type(H5Dget_type(data), H5Tclose);
  if (!type.ok()) return Damaged();
  uint64_t count = 0;
  Result<std::vector<int64_t>> shape = ShapeOf(data, budget.numbers, count);
  if (!shape.ok()) return shape.status();
  const size_t item = H5Tget_size(type.get());
  if (item == 0 || item > kMostTextBytes) return Damaged();
  if (Status status = CheckStorage(data, item); !status.ok()) return status;
  budget.numbers -= count;
  const H5T_class_t kind = H5Tget_class(type.get());
  if (kind == H5T_STRING) {
    if (count > budget.names) return Bad("too many texts");
    budget.names -= count;
    Result<std::vector<std::string>> texts = ReadTexts(data, type.get(), count);
    if (!texts.ok()) return texts.status();
    return Content(std::move(texts).value());
  }
  const bool numeric = kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_ENUM;
  if (!numeric || item > sizeof(double)) return Bad("neither numbers nor text");
  NirArray array;
  array.shape = std::move(shape).value();
  array.numbers.resize(count);
  return ReadNumbers(data, type.get(), std::move(array));
}

// Of a group called `where`.
Status BadGroup(const std::string& where, const std::string& what) {
  return Bad((where.empty() ? "" : where + ": ") + what);
}

Result<std::vector<std::string>> NamesIn(hid_t group, const std::string& where, Budget& budget) {
  Names names;
  names.left = budget.names;
  hsize_t next = 0;
  if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &next, CollectName, &names) < 0) {
    return BadGroup(where, "damaged, or too many names, or one that leads to another file");
  }
  budget.names -= names.names.size();
  return std::move(names.names);
}

// Whether a group of this name, inside of `outer`, is part of a model.
bool IsPart(const std::string& outer, const std::string& name, int depth) {
  return outer == "nodes" || name == "nodes" || (depth == 0 && name == "node");
}

// Reads a group that is opened, `to.name`, and those inside of it.
Status ReadGroup(hid_t group, int depth, Budget& budget, Hdf5Group& to) {
  Result<std::vector<std::string>> names = NamesIn(group, to.name, budget);
  if (!names.ok()) return names.status();
  for (std::string& name : names.value()) {
    const Hdf5Id object(H5Oopen(group, name.c_str(), H5P_DEFAULT), H5Oclose);
    if (!object.ok()) return BadGroup(name, Damaged().message());
    const H5I_type_t type = H5Iget_type(object.get());
    if (type == H5I_DATASET) {
      Result<Content> content = ReadData(object.get(), budget);
      if (content.status().code() == StatusCode::kOutOfMemory) return content.status();
      to.data.push_back({std::move(name), content.ok() ? std::move(content).value()
                                                       : Hdf5Problem{content.status().message()}});
    } else if (type == H5I_GROUP && depth < kMostHdf5Depth && IsPart(to.name, name, depth)) {
      to.groups.emplace_back().name = std::move(name);
      const Status status = ReadGroup(object.get(), depth + 1, budget, to.groups.back());
      if (!status.ok()) return status;
    }  // else a named type, or nothing of a model
  }
  return Status::Ok();
}

}  // namespace

Result<Hdf5Group> ReadHdf5(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return Bad("an empty file; export the model again");
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // errors are returned, not printed
  H5PLset_loading_state(0);                     // no filters from elsewhere
  const Hdf5Id access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  constexpr size_t kIncrement = 1 << 16;
  const bool prepared =
      access.ok() && H5Pset_fapl_core(access.get(), kIncrement, false) >= 0 &&
      H5Pset_file_image(access.get(), const_cast<uint8_t*>(bytes.data()), bytes.size()) >= 0;
  if (!prepared) return Status::OutOfMemory();
  const Hdf5Id file(H5Fopen("model.nir", H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!file.ok()) return Bad("not an HDF5 file, or a damaged one; export the model again");
  Hdf5Group root;
  Budget budget;
  if (Status status = ReadGroup(file.get(), 0, budget, root); !status.ok()) return status;
  return root;
}

}  // namespace cssrun::converter
