// Everything an application needs to run converted networks.
#ifndef CSSRUN_CSSRUN_H_
#define CSSRUN_CSSRUN_H_

#include "cssrun/batch.h"
#include "cssrun/event_session.h"
#include "cssrun/limits.h"
#include "cssrun/network.h"
#include "cssrun/preprocess.h"
#include "cssrun/session.h"
#include "cssrun/status.h"
#include "cssrun/stream.h"
#include "cssrun/version.h"

#endif  // CSSRUN_CSSRUN_H_
