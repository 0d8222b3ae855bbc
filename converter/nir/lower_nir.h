// NIR graph to event network.
#ifndef CSSRUN_CONVERTER_NIR_LOWER_NIR_H_
#define CSSRUN_CONVERTER_NIR_LOWER_NIR_H_

#include <memory>

#include "converter/nir/nir_graph.h"
#include "converter/nir/reading.h"
#include "cssrun/limits.h"
#include "cssrun/status.h"
#include "network_generated.h"

namespace cssrun::converter {

// Error: kBadModel, a table of all nodes that cannot be converted, without the file's name.
Result<std::unique_ptr<format::EventNetworkT>> LowerNir(const NirGraph& graph,
                                                        const NirReading& reading,
                                                        const NetworkLimits& limits);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_NIR_LOWER_NIR_H_
