// Formats the integer engine's plan of a network as a table, for `cssinspect --plan`.
#ifndef CSSRUN_TOOLS_PLAN_TABLE_H_
#define CSSRUN_TOOLS_PLAN_TABLE_H_

#include <string>

#include "cssrun/network.h"

namespace cssrun::tools {

// Returns a table with a line for each set of synapses: kernel, layout, bits, bytes and expected
// operations. For a network that runs in float it is one line that says why.
std::string FormatPlan(const Network& network);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_PLAN_TABLE_H_
