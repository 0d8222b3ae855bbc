#include "tests/fuzz/import_nir.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <string_view>

#include "converter/nir/convert_nir.h"
#include "converter/nir/read_apart.h"
#include "tests/fuzz/run_network.h"
#include "tests/fuzz/take_conversion.h"
#include "tests/fuzz/target.h"

namespace cssrun::fuzz {
namespace {

constexpr rlim_t kSeconds = 3;

// The library or program that an address is of; empty where a wrong pointer was called.
std::string_view ModuleOf(void* address) {
  Dl_info info = {};
  return dladdr(address, &info) == 0 || info.dli_fname == nullptr ? "" : info.dli_fname;
}

bool Has(std::string_view name, std::string_view part) {
  return name.find(part) != std::string_view::npos;
}

// Ends the process; whether the code that failed, or that called the C library wrongly, is ours.
void Judge(int signal) {
  const int by_library = signal == SIGPROF ? kLibraryIsSlow : kLibraryFailed;
  void* frames[64] = {};
  const int count = backtrace(frames, 64);
  for (int i = 1; i < count; ++i) {
    const std::string_view module = ModuleOf(frames[i]);
    if (module.empty() || Has(module, "libc.so") || Has(module, "libgcc_s")) continue;
    _exit(Has(module, "libhdf5") || Has(module, "libz.so") ? by_library : kWeFailed);
  }
  _exit(by_library);
}

// Reads the file as read_apart.cc does.
[[noreturn]] void ReadAgain(std::span<const uint8_t> bytes) {
  JudgeSignals();
  const rlimit time = {kSeconds, RLIM_INFINITY};
  setrlimit(RLIMIT_CPU, &time);
  (void)converter::PackReading(bytes);
  _exit(0);
}

bool TheLibraryFails(std::span<const uint8_t> bytes) {
  const pid_t child = fork();
  Require(child >= 0, "there can be another process");
  if (child == 0) ReadAgain(bytes);
  int end = 0;
  Require(waitpid(child, &end, 0) == child, "it ends");
  // 1 is the exit code of a sanitizer's report.
  return !WIFEXITED(end) || WEXITSTATUS(end) == 0 || WEXITSTATUS(end) == kLibraryFailed;
}

}  // namespace

void JudgeSignals() {
  void* warm_up = nullptr;
  (void)backtrace(&warm_up, 1);  // which allocates at its first call
  // The library recurses through damaged files until the stack ends.
  static std::array<uint8_t, 1 << 16> stack;  // NOLINT: until the process ends
  stack_t other = {};
  other.ss_sp = stack.data();
  other.ss_size = stack.size();
  sigaltstack(&other, nullptr);
  struct sigaction action = {};
  action.sa_handler = Judge;
  action.sa_flags = SA_ONSTACK;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU, SIGPROF}) {
    sigaction(signal, &action, nullptr);
  }
}

Imported ImportNir(std::span<const uint8_t> bytes) {
  const auto conversion = converter::ConvertNir(bytes, kModelName, {}, {}, kSmall);
  TakeConversion(conversion);
  if (conversion.ok()) return Imported::kConverted;
  if (conversion.status().message().find(converter::kHdf5Failed) == std::string::npos) {
    return Imported::kRefused;
  }
  return TheLibraryFails(bytes) ? Imported::kLibraryFailed : Imported::kWeFailed;
}

}  // namespace cssrun::fuzz
