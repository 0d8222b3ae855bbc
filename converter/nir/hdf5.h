// HDF5 files of unknown origin, read through Debian's library.
//
// Sizes, depths and types are checked before anything is allocated from a number in the file. Other
// files are never opened: links and data that lead outside are refused, and so are filters beyond
// the library's own.
#ifndef CSSRUN_CONVERTER_NIR_HDF5_H_
#define CSSRUN_CONVERTER_NIR_HDF5_H_

#include <cstdint>
#include <span>

#include "converter/nir/hdf5_tree.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// All data of a file in the groups that a NIR model is made of: the root, "node", those called
// "nodes" and the groups inside of these; others, such as metadata, are passed over. Data that
// cannot be read are an Hdf5Problem. Errors: kBadModel, without the file's name; kOutOfMemory.
//
// The library was not made for files of strangers: damaged ones make it crash or loop without end.
// ReadHdf5Apart() is for those.
Result<Hdf5Group> ReadHdf5(std::span<const uint8_t> bytes);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NIR_HDF5_H_
