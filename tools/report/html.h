// Makes text of unknown origin safe to show in a page.
#ifndef CSSRUN_TOOLS_REPORT_HTML_H_
#define CSSRUN_TOOLS_REPORT_HTML_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cssrun::tools {

// Labels, file names and layer names may hold markup, quotes, control characters or bytes that are
// not UTF-8. The returned text is safe between tags and within quoted attributes: markup and quotes
// are escaped; control characters and malformed bytes become \xNN, as on a terminal.
std::string HtmlText(std::string_view text);

// Returns at most `characters` (3 or more) of the text, as HtmlText does. A longer text is cut to
// its beginning and its end, with an ellipsis between them.
std::string ShortHtmlText(std::string_view text, size_t characters);

// Returns "data:image/jpeg;base64,...".
std::string DataUri(std::string_view media_type, std::span<const uint8_t> bytes);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_REPORT_HTML_H_
