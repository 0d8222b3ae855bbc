// Reads a NIR file in a process of its own.
//
// HDF5's library was not made for files of strangers: damaged ones make it crash or loop without
// end. In a process of its own, with a limit of processor time, that is an error like others.
#ifndef CSSRUN_CONVERTER_NIR_READ_APART_H_
#define CSSRUN_CONVERTER_NIR_READ_APART_H_

#include <cstdint>
#include <span>

#include "converter/nir/nir_graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// As ReadNir(), which it calls. Errors, besides: kIo if there can be no other process.
Result<NirGraph> ReadNirApart(std::span<const uint8_t> bytes);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NIR_READ_APART_H_
