// What an HDF5 file holds, as plain values. Nothing here needs HDF5's library, so that what reads
// these values can be tested, and fuzzed, without files.
#ifndef CSSRUN_CONVERTER_NIR_HDF5_TREE_H_
#define CSSRUN_CONVERTER_NIR_HDF5_TREE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "converter/nir/nir_graph.h"

namespace cssrun::converter {

// Why data could not be read; an error only for who asks for them.
struct Hdf5Problem {
  std::string text;
};

struct Hdf5Data {
  std::string name;
  std::variant<NirArray, std::vector<std::string>, Hdf5Problem> content;
};

struct Hdf5Group {
  // Null where there is none of this name.
  const Hdf5Group* FindGroup(const std::string& wanted) const;
  const Hdf5Data* FindData(const std::string& wanted) const;

  std::string name;
  std::vector<Hdf5Group> groups;
  std::vector<Hdf5Data> data;
};

// Groups deeper than this are no part of a tree.
inline constexpr int kMostHdf5Depth = 40;

// A tree as bytes, which one process sends to another on the same machine. UnpackHdf5() takes any
// bytes, and returns nothing if they are no whole tree; the numbers of an array are then as many as
// its shape says.
std::vector<uint8_t> PackHdf5(const Hdf5Group& root);
std::optional<Hdf5Group> UnpackHdf5(std::span<const uint8_t> bytes);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NIR_HDF5_TREE_H_
