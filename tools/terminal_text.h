// Makes text of unknown origin safe to print.
#ifndef CSSRUN_TOOLS_TERMINAL_TEXT_H_
#define CSSRUN_TOOLS_TERMINAL_TEXT_H_

#include <string>
#include <string_view>

namespace cssrun::tools {

// File names, labels and node names may hold control characters that a terminal would obey, or
// bytes that are not UTF-8. Both become \xNN. With `keep_lines`, line ends stay, for messages of
// several lines.
std::string TerminalText(std::string_view text, bool keep_lines = false);

// Returns JSON text in which everything is escaped that a terminal would obey and JSON would leave
// as it is: DEL, the control characters U+0080 to U+009F, and marks that reorder text. The JSON's
// meaning does not change.
std::string TerminalJson(std::string_view json);

// Writes to standard error. A failure to write is ignored, since there is no other place to report
// it.
void PrintMessage(std::string_view text);

// Prints "program: message" on standard error.
void PrintError(std::string_view program, std::string_view message);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_TERMINAL_TEXT_H_
