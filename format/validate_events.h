// Checks the meaning of networks that take events; see validate.h.
#ifndef CSSRUN_FORMAT_VALIDATE_EVENTS_H_
#define CSSRUN_FORMAT_VALIDATE_EVENTS_H_

#include "cssrun/limits.h"
#include "cssrun/status.h"
#include "network_generated.h"

namespace cssrun::format {

// `network` has events. Error: kBadModel; the message names the node and the field.
Status ValidateEvents(const Network& network, const NetworkLimits& limits);

}  // namespace cssrun::format

#endif  // CSSRUN_FORMAT_VALIDATE_EVENTS_H_
