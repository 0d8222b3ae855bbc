// Writes NIR files, as Python's nir does: for tests and the seeds of fuzzing.
#ifndef CSSRUN_TESTS_CONVERTER_NIR_WRITER_H_
#define CSSRUN_TESTS_CONVERTER_NIR_WRITER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "converter/nir/hdf5_tree.h"
#include "converter/nir/nir_graph.h"
#include "tests/oracle/event_model.h"

namespace cssrun::testing_models {

struct NirStyle {
  bool compressed = false;  // chunks of gzip, as files since January 2026 have
  bool floats = false;      // weights in 32 bits
  // The nodes after the input are a graph of their own, inside of the outermost one.
  bool nested = false;
};

// What a file with these nodes and edges holds.
converter::Hdf5Group NirTree(const converter::NirGraph& graph, bool nested = false);

// The bytes of such a file.
std::vector<uint8_t> WriteNir(const converter::NirGraph& graph, const NirStyle& style = {});

// The graph of a model of the oracle: a chain from "input" to "output", whose nodes are "n0", "n1";
// "back1" is in a loop with "n1".
converter::NirGraph NirOf(const oracle::EventModel& model);

}  // namespace cssrun::testing_models

#endif  // CSSRUN_TESTS_CONVERTER_NIR_WRITER_H_
