// One logit, as the usual binary classifier ends, becomes two.
#ifndef CSSRUN_CONVERTER_PASSES_SPLIT_SINGLE_LOGIT_H_
#define CSSRUN_CONVERTER_PASSES_SPLIT_SINGLE_LOGIT_H_

#include "converter/graph.h"
#include "cssrun/status.h"

namespace cssrun::converter {

// The logit z means class 1 where it is positive, with the probability sigmoid(z). The logits -z/2
// and z/2 of two classes mean the same: their softmax is the sigmoid of z. So everything that ranks
// classes, grades, measures leads and agreement needs to know of no other case.
Status SplitSingleLogit(Graph& graph);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_PASSES_SPLIT_SINGLE_LOGIT_H_
