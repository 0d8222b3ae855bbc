// Checks what FlatBuffers' verifier cannot: that the numbers of a network make sense together.
#ifndef CSSRUN_FORMAT_VALIDATE_H_
#define CSSRUN_FORMAT_VALIDATE_H_

#include <cstdint>

#include "cssrun/limits.h"
#include "cssrun/status.h"
#include "format/network_file.h"
#include "network_generated.h"

namespace cssrun::format {

// Checks every field of a network that the verifier has accepted: the version, ranges, shapes that
// fit each other, indices of earlier nodes, finite numbers, offsets and delays that follow from the
// graph, sizes that do not overflow, and `limits`. Allocates nothing that grows with the file.
// Looks at no weights that may be left out where `kept` leaves them out: their pages would become
// part of the process. Error: kBadModel; the message names the node and the field.
Status ValidateNetwork(const Network& network, const NetworkLimits& limits = {},
                       Kept kept = Kept::kAll);

// What is wrong where synapses of a node have a weight that is not finite.
Status BadWeights(const Network& network, uint32_t node, uint32_t synapses);

}  // namespace cssrun::format

#endif  // CSSRUN_FORMAT_VALIDATE_H_
