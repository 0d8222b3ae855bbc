#include "bench/networks/opponent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <utility>

namespace cssrun::bench {
namespace {

// Every use of `name` becomes `value`.
std::string Replace(std::string text, const std::string& name, const std::string& value) {
  for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at)) {
    text.replace(at, name.size(), value);
    at += value.size();
  }
  return text;
}

// Becomes the shell that runs the command, with these ends as its input and output.
[[noreturn]] void BecomeShell(const char* command, int input, int output) {
  const bool ready = dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0;
  std::signal(SIGPIPE, SIG_DFL);
  if (ready) execl("/bin/sh", "sh", "-c", command, static_cast<char*>(nullptr));
  _exit(127);
}

}  // namespace

Result<PictureFile> PictureFile::Write(const Pictures& pictures) {
  PictureFile file(memfd_create("pictures", MFD_CLOEXEC));
  if (file.descriptor_ < 0) return Status::Io("no memory for a file of pictures");
  for (const std::vector<float>& image : pictures.normalized) {
    const auto* bytes = reinterpret_cast<const char*>(image.data());
    size_t left = image.size() * sizeof(float);
    while (left > 0) {
      const ssize_t written = write(file.descriptor_, bytes, left);
      if (written <= 0) return Status::Io("no memory for a file of pictures");
      bytes += written;
      left -= static_cast<size_t>(written);
    }
  }
  return file;
}

PictureFile::PictureFile(PictureFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

PictureFile::~PictureFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::string PictureFile::path() const {
  return fmt::format("/proc/{}/fd/{}", getpid(), descriptor_);
}

Opponent::Opponent(std::string command, pid_t process, FILE* requests, FILE* replies)
    : command_(std::move(command)), process_(process), requests_(requests), replies_(replies) {}

Opponent::~Opponent() {
  std::fclose(requests_);
  std::fclose(replies_);
  waitpid(process_, nullptr, 0);
}

Result<std::shared_ptr<Opponent>> Opponent::Start(const std::string& command) {
  std::signal(SIGPIPE, SIG_IGN);  // an opponent that has ended is an error, not our end
  int to[2];
  int from[2];
  if (pipe2(to, O_CLOEXEC) != 0) return Status::Io("no pipe");
  if (pipe2(from, O_CLOEXEC) != 0) return Status::Io("no pipe");
  const pid_t process = fork();
  if (process < 0) return Status::Io("no process for " + command);
  if (process == 0) BecomeShell(command.c_str(), to[0], from[1]);
  close(to[0]);
  close(from[1]);
  return std::shared_ptr<Opponent>(
      new Opponent(command, process, fdopen(to[1], "w"), fdopen(from[0], "r")));
}

Result<std::string> Opponent::Ask(const std::string& request) {
  std::fprintf(requests_, "%s\n", request.c_str());
  std::fflush(requests_);
  char* line = nullptr;
  size_t size = 0;
  const ssize_t length = getline(&line, &size, replies_);
  std::string reply(line == nullptr || length < 0 ? "" : line);
  std::free(line);
  if (length < 0) {
    return Status::InvalidArgument(command_ + ": it ended instead of replying to \"" + request +
                                   "\"; run it by hand and type that line");
  }
  return reply;
}

Result<double> Opponent::AskNumber(const std::string& request, const std::string& what) {
  const Result<std::string> reply = Ask(request);
  if (!reply.ok()) return reply.status();
  char* end = nullptr;
  const double number = std::strtod(reply.value().c_str(), &end);
  const bool alone = end != reply.value().c_str() && std::string_view(end) == "\n";
  if (!alone || !(number > 0) || !std::isfinite(number)) {
    return Status::InvalidArgument(fmt::format("{}: it replied \"{}\" to \"{}\" and not {}",
                                               command_, reply.value(),
                                               request.substr(0, request.find(' ')), what));
  }
  return number;
}

Result<double> Opponent::Run(size_t first, size_t count) {
  const Result<double> milliseconds =
      AskNumber(fmt::format("run {} {}", first, count), "the milliseconds of an image");
  if (!milliseconds.ok()) return milliseconds.status();
  return milliseconds.value() / 1e3;
}

Result<double> Opponent::MemoryMib() { return AskNumber("memory", "the MiB of a process"); }

Result<std::vector<size_t>> Opponent::Answers(size_t pictures) {
  const Result<std::string> reply = Ask("answers");
  if (!reply.ok()) return reply.status();
  std::istringstream words(reply.value());
  std::vector<size_t> answers;
  for (size_t answer = 0; words >> answer;) answers.push_back(answer);
  if (!words.eof() || answers.size() != pictures) {
    return Status::InvalidArgument(
        fmt::format("{}: it replied {} numbers of classes for {} pictures", command_,
                    answers.size(), pictures));
  }
  return answers;
}

Contender ContenderOf(const std::string& name, const std::shared_ptr<Opponent>& opponent,
                      size_t pictures) {
  const auto turn = [opponent](size_t first, size_t count) -> Result<double> {
    const Result<double> seconds = opponent->Run(first, count);
    if (!seconds.ok()) return seconds.status();
    return seconds.value() * static_cast<double>(count);
  };
  return {name, turn, [opponent, pictures] { return opponent->Answers(pictures); }};
}

Result<NamedCommand> ParseOpponent(const std::string& option, const std::string& pictures,
                                   const std::string& calibration) {
  const size_t equals = option.find('=');
  const std::string name = option.substr(0, equals);
  const bool is_name = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_';
  });
  if (equals == std::string::npos || !is_name) {
    return Status::InvalidArgument("--opponent " + option +
                                   ": it has no name; write --opponent NAME='COMMAND'");
  }
  std::string command = option.substr(equals + 1);
  if (calibration.empty() && command.find("{calibration}") != std::string::npos) {
    return Status::InvalidArgument("--opponent " + name +
                                   ": {calibration} needs --calibration FOLDER");
  }
  command = Replace(std::move(command), "{pictures}", pictures);
  return NamedCommand{name, Replace(std::move(command), "{calibration}", calibration)};
}

}  // namespace cssrun::bench
