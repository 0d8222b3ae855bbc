// What cssinspect prints of a network that takes events.
#ifndef CSSRUN_TOOLS_INSPECT_EVENTS_H_
#define CSSRUN_TOOLS_INSPECT_EVENTS_H_

#include <nlohmann/json.hpp>
#include <string>

#include "cssrun/network.h"
#include "format/network_file.h"

namespace cssrun::tools {

// `file` has events.
std::string EventsToText(const std::string& path, const format::NetworkFile& file);
nlohmann::ordered_json EventsToJson(const format::NetworkFile& file);
// Which layers work when something reaches them, and which at every step; network.events() is set.
std::string FormatEventPlan(const Network& network);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_INSPECT_EVENTS_H_
