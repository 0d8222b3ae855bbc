// The paper's figures 2 to 5 of a model: {"figure2a": {"title", "note", "x", "y", "series"}, ...}.
#ifndef CSSRUN_BENCH_PAPER_FIGURES_H_
#define CSSRUN_BENCH_PAPER_FIGURES_H_

#include "bench/paper/experiments.h"
#include "bench/paper/json.h"

namespace cssrun::paper {

Json Figures(const Experiments& e);

}  // namespace cssrun::paper

#endif  // CSSRUN_BENCH_PAPER_FIGURES_H_
