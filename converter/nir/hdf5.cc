#include "converter/nir/hdf5.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace cssrun::converter {
namespace {

constexpr int kMostDimensions = 8;
constexpr uint64_t kMostChunkBytes = uint64_t{1} << 28;
constexpr size_t kMostTextBytes = 4096;
constexpr int kMostFilters = 8;

Status Bad(const std::string& where, const std::string& what) {
  return Status::BadModel((where.empty() ? "" : where + ": ") + what);
}

Status Damaged(const std::string& where) {
  return Bad(where, "damaged HDF5 file; export the model again");
}

Hdf5Id Properties(hid_t list) { return {H5Pcreate(list), H5Pclose}; }

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

// Whether `name` is in the group itself, and no link that leads elsewhere.
bool IsHere(hid_t parent, const std::string& name) {
  if (name.find('/') != std::string::npos || name.empty() || name == ".") return false;
  H5L_info_t info;
  return H5Lexists(parent, name.c_str(), H5P_DEFAULT) > 0 &&
         H5Lget_info(parent, name.c_str(), &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
}

Status CheckChunks(hid_t plan, uint64_t item, const std::string& where) {
  std::array<hsize_t, kMostDimensions> sides = {};
  const int rank = H5Pget_chunk(plan, kMostDimensions, sides.data());
  if (rank < 0 || rank > kMostDimensions) return Damaged(where);
  uint64_t bytes = item;
  for (int i = 0; i < rank; ++i) {
    const uint64_t side = sides.at(static_cast<size_t>(i));
    if (side == 0 || side > kMostChunkBytes / bytes) return Bad(where, "a chunk is too large");
    bytes *= side;
  }
  return Status::Ok();
}

Status CheckFilters(hid_t plan, const std::string& where) {
  const int filters = H5Pget_nfilters(plan);
  if (filters < 0 || filters > kMostFilters) return Damaged(where);
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0;
    size_t values = 0;
    unsigned config = 0;
    const H5Z_filter_t filter = H5Pget_filter2(plan, static_cast<unsigned>(i), &flags, &values,
                                               nullptr, 0, nullptr, &config);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
        filter != H5Z_FILTER_FLETCHER32) {
      return Bad(where, "compressed otherwise than by gzip; export it with gzip or without");
    }
  }
  return Status::Ok();
}

// How the data lie in the file.
Status CheckStorage(hid_t data, uint64_t item, const std::string& where) {
  const Hdf5Id plan(H5Dget_create_plist(data), H5Pclose);
  if (!plan.ok()) return Damaged(where);
  const H5D_layout_t layout = H5Pget_layout(plan.get());
  const bool inside = layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED;
  if (!inside || H5Pget_external_count(plan.get()) != 0) {
    return Bad(where, "its data lie in another file; export the model into one file");
  }
  if (layout != H5D_CHUNKED) return Status::Ok();
  if (Status status = CheckChunks(plan.get(), item, where); !status.ok()) return status;
  return CheckFilters(plan.get(), where);
}

// The shape of the data; its numbers are at most `most`.
Result<std::vector<int64_t>> ShapeOf(hid_t data, uint64_t most, uint64_t& count,
                                     const std::string& where) {
  const Hdf5Id space(H5Dget_space(data), H5Sclose);
  if (!space.ok()) return Damaged(where);
  std::vector<int64_t> shape;
  count = 1;
  const H5S_class_t kind = H5Sget_simple_extent_type(space.get());
  if (kind == H5S_SCALAR) return shape;
  const int rank = H5Sget_simple_extent_ndims(space.get());
  if (kind != H5S_SIMPLE || rank < 0) return Damaged(where);
  if (rank > kMostDimensions) return Bad(where, "more than 8 dimensions");
  std::array<hsize_t, kMostDimensions> sides = {};
  if (H5Sget_simple_extent_dims(space.get(), sides.data(), nullptr) != rank) return Damaged(where);
  for (int i = 0; i < rank; ++i) {
    const uint64_t side = sides.at(static_cast<size_t>(i));
    if (side > most || (side != 0 && count > most / side)) {
      return Bad(where, "the model has more than 2^27 numbers");
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

Result<std::vector<std::string>> ReadTexts(hid_t data, hid_t type, size_t count,
                                           const std::string& where) {
  const Hdf5Id memory(H5Tcopy(H5T_C_S1), H5Tclose);
  if (!memory.ok() || H5Tset_cset(memory.get(), H5Tget_cset(type)) < 0) return Damaged(where);
  std::vector<std::string> texts;
  if (H5Tis_variable_str(type) > 0) {
    if (H5Tset_size(memory.get(), H5T_VARIABLE) < 0) return Damaged(where);
    Texts read(count);
    if (H5Dread(data, memory.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, read.pointers.data()) < 0) {
      return Damaged(where);
    }
    for (const char* text : read.pointers) texts.emplace_back(text == nullptr ? "" : text);
    return texts;
  }
  const size_t size = H5Tget_size(type);
  if (size == 0 || size > kMostTextBytes) return Bad(where, "a text of more than 4,096 bytes");
  if (H5Tset_size(memory.get(), size) < 0 || H5Tset_strpad(memory.get(), H5Tget_strpad(type)) < 0) {
    return Damaged(where);
  }
  std::vector<char> bytes(size * count);
  if (H5Dread(data, memory.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0) {
    return Damaged(where);
  }
  for (size_t i = 0; i < count; ++i) {
    const char* text = bytes.data() + i * size;
    texts.emplace_back(text, strnlen(text, size));
  }
  return texts;
}

}  // namespace

Result<Hdf5File> Hdf5File::Open(std::span<const uint8_t> bytes) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // errors are returned, not printed
  H5PLset_loading_state(0);                     // no filters from elsewhere
  const Hdf5Id access = Properties(H5P_FILE_ACCESS);
  constexpr size_t kIncrement = 1 << 16;
  const bool prepared =
      access.ok() && H5Pset_fapl_core(access.get(), kIncrement, false) >= 0 &&
      H5Pset_file_image(access.get(), const_cast<uint8_t*>(bytes.data()), bytes.size()) >= 0;
  if (!prepared) return Status::OutOfMemory();
  Hdf5File file;
  file.file_ = Hdf5Id(H5Fopen("model.nir", H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!file.file_.ok())
    return Bad("", "not an HDF5 file, or a damaged one; export the model again");
  return file;
}

Result<std::vector<Hdf5Entry>> Hdf5File::List(hid_t group, const std::string& where) {
  Names names;
  names.left = names_left_;
  hsize_t next = 0;
  if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, &next, CollectName, &names) < 0) {
    return Bad(where, "damaged, or too many names, or one that leads to another file");
  }
  names_left_ -= names.names.size();
  std::vector<Hdf5Entry> entries;
  for (std::string& name : names.names) {
    const Hdf5Id object(H5Oopen(group, name.c_str(), H5P_DEFAULT), H5Oclose);
    if (!object.ok()) return Damaged(where + "/" + name);
    const H5I_type_t type = H5Iget_type(object.get());
    if (type != H5I_GROUP && type != H5I_DATASET) continue;  // a named type
    entries.push_back({std::move(name), type == H5I_GROUP});
  }
  return entries;
}

Result<Hdf5Id> Hdf5File::OpenGroup(hid_t parent, const std::string& name,
                                   const std::string& where) {
  if (!IsHere(parent, name)) return Bad(where, "has no \"" + name + "\"; is this a NIR file?");
  Hdf5Id object(H5Oopen(parent, name.c_str(), H5P_DEFAULT), H5Oclose);
  if (!object.ok() || H5Iget_type(object.get()) != H5I_GROUP) {
    return Bad(where, "\"" + name + "\" is no group; is this a NIR file?");
  }
  return object;
}

Result<Hdf5File::Content> Hdf5File::Read(hid_t parent, const std::string& name,
                                         const std::string& where) {
  if (!IsHere(parent, name)) return Bad(where, "has no \"" + name + "\"; is this a NIR file?");
  const std::string place = where + "/" + name;
  const Hdf5Id object(H5Oopen(parent, name.c_str(), H5P_DEFAULT), H5Oclose);
  if (!object.ok() || H5Iget_type(object.get()) != H5I_DATASET) {
    return Bad(where, "\"" + name + "\" holds no data; is this a NIR file?");
  }
  const Hdf5Id type(H5Dget_type(object.get()), H5Tclose);
  if (!type.ok()) return Damaged(place);
  uint64_t count = 0;
  Result<std::vector<int64_t>> shape = ShapeOf(object.get(), numbers_left_, count, place);
  if (!shape.ok()) return shape.status();
  const size_t item = H5Tget_size(type.get());
  if (item == 0 || item > kMostTextBytes) return Damaged(place);
  if (Status status = CheckStorage(object.get(), item, place); !status.ok()) return status;
  numbers_left_ -= count;
  const H5T_class_t kind = H5Tget_class(type.get());
  if (kind == H5T_STRING) {
    if (count > names_left_) return Bad(place, "too many texts");
    names_left_ -= count;
    Result<std::vector<std::string>> texts = ReadTexts(object.get(), type.get(), count, place);
    if (!texts.ok()) return texts.status();
    return Content(std::move(texts).value());
  }
  const bool numeric = kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_ENUM;
  if (!numeric || item > sizeof(double)) return Bad(place, "neither numbers nor text");
  NirArray array;
  array.shape = std::move(shape).value();
  array.numbers.resize(count);
  // h5py writes true and false as an enumeration of bytes.
  const hid_t memory = kind == H5T_ENUM ? H5T_NATIVE_INT8 : H5T_NATIVE_DOUBLE;
  if (kind == H5T_ENUM) {
    std::vector<int8_t> bytes(count);
    const Hdf5Id base(H5Tget_super(type.get()), H5Tclose);
    if (item != 1 ||
        H5Dread(object.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0) {
      return Damaged(place);
    }
    std::copy(bytes.begin(), bytes.end(), array.numbers.begin());
  } else if (count > 0 && H5Dread(object.get(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                  array.numbers.data()) < 0) {
    return Damaged(place);
  }
  return Content(std::move(array));
}

}  // namespace cssrun::converter
