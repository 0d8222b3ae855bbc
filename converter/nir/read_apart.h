// Reads an HDF5 file in a process of its own.
//
// HDF5's library was not made for files of strangers: damaged ones make it crash or loop without
// end. In a process of its own, with a limit of processor time, that is an error like others. What
// its data mean is looked at in the calling process, where our own mistakes cannot hide among the
// library's.
#ifndef CSSRUN_CONVERTER_NIR_READ_APART_H_
#define CSSRUN_CONVERTER_NIR_READ_APART_H_

#include <cstdint>
#include <span>
#include <vector>

#include "converter/nir/hdf5_tree.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// The message where that process crashed, or reached its limit of time.
inline constexpr char kHdf5Failed[] =
    "damaged HDF5 file, on which HDF5's library fails or does not end; export the model again";

// As ReadHdf5(), which it calls. Errors, besides: kIo if there can be no other process.
Result<Hdf5Group> ReadHdf5Apart(std::span<const uint8_t> bytes);

// The two halves of it, for tests that read many files in one process. What that process sends: the
// code of the status, and then its message or the tree.
struct Hdf5Reading {
  uint8_t code = 0;
  std::vector<uint8_t> rest;
};
Hdf5Reading PackReading(std::span<const uint8_t> bytes);
// What has been sent, as one piece; nothing at all where that process has failed.
Result<Hdf5Group> UnpackReading(std::span<const uint8_t> sent);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NIR_READ_APART_H_
