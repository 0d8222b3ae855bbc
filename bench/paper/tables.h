// The paper's tables 2 to 4 of a model: {"table2": {"title", "note", "columns", "rows"}, ...}.
#ifndef CSSRUN_BENCH_PAPER_TABLES_H_
#define CSSRUN_BENCH_PAPER_TABLES_H_

#include "bench/paper/experiments.h"
#include "bench/paper/json.h"

namespace cssrun::paper {

// `quantized` is the same network with quantized activations, or null if there is none.
Json Tables(const Experiments& e, const Experiments* quantized);

}  // namespace cssrun::paper

#endif  // CSSRUN_BENCH_PAPER_TABLES_H_
