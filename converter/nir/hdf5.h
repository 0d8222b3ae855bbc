// HDF5 files of unknown origin, read through Debian's library.
//
// Sizes, depths and types are checked before anything is allocated from a number in the file. Other
// files are never opened: links and data that lead outside are refused, and so are filters beyond
// the library's own.
#ifndef CSSRUN_CONVERTER_NIR_HDF5_H_
#define CSSRUN_CONVERTER_NIR_HDF5_H_

#include <hdf5.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "converter/nir/nir_graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// An identifier of the library, closed at the end.
class Hdf5Id {
 public:
  using Close = herr_t (*)(hid_t);

  Hdf5Id() = default;
  Hdf5Id(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Id(Hdf5Id&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Hdf5Id& operator=(Hdf5Id&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  Hdf5Id(const Hdf5Id&) = delete;
  Hdf5Id& operator=(const Hdf5Id&) = delete;
  ~Hdf5Id() {
    if (id_ >= 0) close_(id_);
  }

  bool ok() const { return id_ >= 0; }
  hid_t get() const { return id_; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

// What a name in a group stands for.
struct Hdf5Entry {
  std::string name;
  bool is_group = false;
};

// An opened file, and what may still be read of it. Errors: kBadModel, without the file's name.
class Hdf5File {
 public:
  // `bytes` must stay valid.
  static Result<Hdf5File> Open(std::span<const uint8_t> bytes);

  hid_t root() const { return file_.get(); }
  // In the order of their names.
  Result<std::vector<Hdf5Entry>> List(hid_t group, const std::string& where);
  Result<Hdf5Id> OpenGroup(hid_t parent, const std::string& name, const std::string& where);
  // Numbers, or texts.
  using Content = std::variant<NirArray, std::vector<std::string>>;
  Result<Content> Read(hid_t parent, const std::string& name, const std::string& where);

 private:
  Hdf5Id file_;
  uint64_t numbers_left_ = uint64_t{1} << 27;
  uint64_t names_left_ = uint64_t{1} << 20;
};

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NIR_HDF5_H_
