// Words and widths that the text of several summaries and reports shares.
#ifndef CSSRUN_TOOLS_SUMMARY_TEXT_H_
#define CSSRUN_TOOLS_SUMMARY_TEXT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "cssrun/network.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {

// "1 image", "2 images".
inline std::string Plural(uint64_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// The width of a table's column of layer names under the heading "layer".
inline size_t LayerNameWidth(const Network& network) {
  size_t width = 5;
  for (const LayerInfo& layer : network.layers()) {
    width = std::max(width, TerminalText(layer.name).size());
  }
  return width;
}

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_SUMMARY_TEXT_H_
