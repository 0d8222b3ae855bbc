// What FlatBuffers' verifier cannot know: that the numbers of a network make sense together.
#ifndef CSSRUN_FORMAT_VALIDATE_H_
#define CSSRUN_FORMAT_VALIDATE_H_

#include "cssrun/limits.h"
#include "cssrun/status.h"
#include "network_generated.h"

namespace cssrun::format {

// Checks every field of a structurally verified network: versions, ranges, shapes that fit each
// other, indices of earlier nodes, finite numbers, offsets and delays that follow from the graph,
// that no size computed from the file overflows, and that it keeps to `limits`. Allocates nothing
// that grows with the file.
// Error: kBadModel, and the message names the node and the field.
Status ValidateNetwork(const Network& network, const NetworkLimits& limits = {});

}  // namespace cssrun::format

#endif  // CSSRUN_FORMAT_VALIDATE_H_
