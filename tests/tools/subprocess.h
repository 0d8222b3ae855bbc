// Runs a program and keeps its output.
#ifndef CSSRUN_TESTS_TOOLS_SUBPROCESS_H_
#define CSSRUN_TESTS_TOOLS_SUBPROCESS_H_

#include <string>
#include <vector>

namespace cssrun::tools {

enum class Stream {
  kKept,
  kClosed,      // the descriptor is not open at all
  kFull,        // /dev/full
  kBrokenPipe,  // a pipe whose reader has closed it
  kTerminal,    // a pseudo terminal; its output is kept
};

struct RunOptions {
  std::string input = {};   // standard input
  std::string folder = {};  // to run in; if empty, the current one
  Stream output = Stream::kKept;
  Stream error = Stream::kKept;  // never kTerminal together with `output`
};

struct Finished {
  int exit_code = -1;  // 128 + n: ended by signal n
  std::string out;
  std::string err;
};

// Returns false in a bare container, which has no pseudo terminals.
bool HasTerminals();

// `arguments[0]` is the program's path.
Finished RunProgram(const std::vector<std::string>& arguments, const RunOptions& options = {});

}  // namespace cssrun::tools

#endif  // CSSRUN_TESTS_TOOLS_SUBPROCESS_H_
