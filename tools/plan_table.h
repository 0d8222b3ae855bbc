// What the integer engine decided about a network, as a table: `cssinspect --plan`.
#ifndef CSSRUN_TOOLS_PLAN_TABLE_H_
#define CSSRUN_TOOLS_PLAN_TABLE_H_

#include <string>

#include "cssrun/network.h"

namespace cssrun::tools {

// A line for each set of synapses: kernel, layout, bits, bytes and expected operations. A network
// that runs in float has one line that says why.
std::string FormatPlan(const Network& network);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_PLAN_TABLE_H_
