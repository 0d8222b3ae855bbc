// Wraps the work of every program's main().
#ifndef CSSRUN_TOOLS_RUN_MAIN_H_
#define CSSRUN_TOOLS_RUN_MAIN_H_

#include <exception>
#include <new>
#include <stdexcept>

#include "tools/exit_codes.h"
#include "tools/terminal_text.h"

namespace cssrun::tools {

// Calls `run(argc, argv)`. Running out of memory ends the program with a message and an exit code,
// not with a signal.
template <class Run>
int RunMain(const char* program, int argc, char** argv, Run run) {
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    PrintMessage(program);
    PrintMessage(": out of memory\n");
  } catch (const std::length_error&) {
    PrintMessage(program);
    PrintMessage(": out of memory\n");
  } catch (const std::exception& error) {
    PrintMessage(program);
    PrintMessage(": ");
    PrintMessage(TerminalText(error.what()));
    PrintMessage("\n");
  }
  return kIoFailed;
}

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RUN_MAIN_H_
