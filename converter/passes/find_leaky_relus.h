// Finds leaky ReLUs that an exporter wrote as arithmetic, max(x, a x) with a <= 1 or min(x, a x)
// with a >= 1, and turns them into PRelus.
#ifndef CSSRUN_CONVERTER_PASSES_FIND_LEAKY_RELUS_H_
#define CSSRUN_CONVERTER_PASSES_FIND_LEAKY_RELUS_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

Status FindLeakyRelus(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_FIND_LEAKY_RELUS_H_
