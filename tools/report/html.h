// Text of unknown origin in a page.
#ifndef CSSRUN_TOOLS_REPORT_HTML_H_
#define CSSRUN_TOOLS_REPORT_HTML_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cssrun::tools {

// Labels, file names and layer names may hold markup, quotes, control characters or bytes that are
// not UTF-8. What this returns is text and nothing else, between tags and within quoted attributes:
// the first two are escaped, the others become \xNN as on a terminal.
std::string HtmlText(std::string_view text);

// At most `characters` (3 or more) of the text, as HtmlText; of a longer one the beginning and the
// end, between them an ellipsis.
std::string ShortHtmlText(std::string_view text, size_t characters);

// "data:image/jpeg;base64,..."
std::string DataUri(std::string_view media_type, std::span<const uint8_t> bytes);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_REPORT_HTML_H_
