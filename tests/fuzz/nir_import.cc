// Takes any bytes as a NIR model, which must be refused with one message, or converted to a network
// that loads and runs.
//
// HDF5's library reads it in a process of its own, whose end is an error like others. Where it
// ended by a signal, another process finds out whose fault that is: a mistake of ours ends this
// one.
#include <dlfcn.h>
#include <execinfo.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <string>

#include "converter/nir/convert_nir.h"
#include "converter/nir/hdf5.h"
#include "converter/nir/read_apart.h"
#include "tests/fuzz/run_network.h"
#include "tests/fuzz/take_conversion.h"
#include "tests/fuzz/target.h"

namespace {

using namespace cssrun;

constexpr int kOurs = 3;  // exit code: a mistake of our code
constexpr rlim_t kSeconds = 3;

bool IsIn(void* address, const char* library) {
  Dl_info info = {};
  return dladdr(address, &info) != 0 && info.dli_fname != nullptr &&
         std::strstr(info.dli_fname, library) != nullptr;
}

// Ends the process; whether the code that failed, or that called the C library wrongly, is ours.
void Judge(int /*signal*/) {
  void* frames[64] = {};
  const int count = backtrace(frames, 64);
  for (int i = 1; i < count; ++i) {
    if (IsIn(frames[i], "libc.so") || IsIn(frames[i], "libgcc_s")) continue;
    _exit(IsIn(frames[i], "libhdf5") || IsIn(frames[i], "libz.so") ? 0 : kOurs);
  }
  _exit(0);
}

// Reads the file as read_apart.cc does.
[[noreturn]] void ReadAgain(std::span<const uint8_t> bytes) {
  void* warm_up = nullptr;
  (void)backtrace(&warm_up, 1);  // which allocates at its first call
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) std::signal(signal, Judge);
  const rlimit time = {kSeconds, kSeconds};
  setrlimit(RLIMIT_CPU, &time);
  (void)converter::ReadHdf5(bytes);
  _exit(0);
}

void RequireThatTheLibraryFailed(std::span<const uint8_t> bytes) {
  const pid_t child = fork();
  fuzz::Require(child >= 0, "there can be another process");
  if (child == 0) ReadAgain(bytes);
  int end = 0;
  fuzz::Require(waitpid(child, &end, 0) == child, "it ends");
  // 1 is the exit code of a sanitizer's report.
  fuzz::Require(!WIFEXITED(end) || WEXITSTATUS(end) == 0, "the library failed, not our code");
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto conversion =
      converter::ConvertNir({data, size}, fuzz::kModelName, {}, {}, fuzz::kSmall);
  fuzz::TakeConversion(conversion);
  const bool failed = !conversion.ok() && conversion.status().message().find(
                                              converter::kHdf5Failed) != std::string::npos;
  if (failed) RequireThatTheLibraryFailed({data, size});
  return 0;
}
