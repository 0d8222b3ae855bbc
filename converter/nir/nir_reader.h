// Makes a graph of what a NIR file holds. The only file besides hdf5.cc that knows how those are
// laid out.
#ifndef CSSRUN_CONVERTER_NIR_NIR_READER_H_
#define CSSRUN_CONVERTER_NIR_NIR_READER_H_

#include "converter/nir/hdf5_tree.h"
#include "converter/nir/nir_graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Error: kBadModel, without the file's name.
Result<NirGraph> ReadNir(const Hdf5Group& root);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NIR_NIR_READER_H_
