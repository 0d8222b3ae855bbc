// Drops a Softmax or LogSoftmax at the very end: the order of the classes is that of the logits.
#ifndef CSSRUN_CONVERTER_PASSES_DROP_SOFTMAX_H_
#define CSSRUN_CONVERTER_PASSES_DROP_SOFTMAX_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// Needs shapes.
Status DropSoftmax(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_DROP_SOFTMAX_H_
