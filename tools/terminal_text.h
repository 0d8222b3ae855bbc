// Text of unknown origin, made safe to print.
#ifndef CSSRUN_TOOLS_TERMINAL_TEXT_H_
#define CSSRUN_TOOLS_TERMINAL_TEXT_H_

#include <string>
#include <string_view>

namespace cssrun::tools {

// File names, labels and node names may hold control characters that a terminal would obey, or
// bytes that are not UTF-8: those become \xNN. With `keep_lines` line ends stay, for messages of
// several lines.
std::string TerminalText(std::string_view text, bool keep_lines = false);

// JSON text with everything escaped that a terminal would obey and JSON itself would leave as it
// is: DEL, the control characters U+0080 to U+009F, marks that reorder text. The same JSON.
std::string TerminalJson(std::string_view json);

// Writes to standard error. When that fails there is nowhere left to say so: the work goes on.
void PrintMessage(std::string_view text);

// Prints "program: message" on standard error.
void PrintError(std::string_view program, std::string_view message);

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_TERMINAL_TEXT_H_
