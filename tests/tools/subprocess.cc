#include "tests/tools/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace cssrun::tools {
namespace {

constexpr int kNone = -1;

void Check(bool good, const char* what) {
  if (good) return;
  std::perror(what);
  std::abort();
}

void Close(int& fd) {
  if (fd != kNone) close(fd);
  fd = kNone;
}

// Holds the child's end of a stream, and our end if there is something to read.
struct Channel {
  int child = kNone;
  int parent = kNone;
};

Channel Open(Stream stream) {
  Channel channel;
  std::array<int, 2> ends = {kNone, kNone};
  switch (stream) {
    case Stream::kClosed:
      break;
    case Stream::kFull:
      channel.child = open("/dev/full", O_WRONLY | O_CLOEXEC);
      Check(channel.child >= 0, "/dev/full");
      break;
    case Stream::kTerminal:
      Check(openpty(&channel.parent, &channel.child, nullptr, nullptr, nullptr) == 0, "openpty");
      break;
    case Stream::kKept:
    case Stream::kBrokenPipe:
      Check(pipe2(ends.data(), O_CLOEXEC) == 0, "pipe");
      channel = {ends[1], ends[0]};
      if (stream == Stream::kBrokenPipe) Close(channel.parent);
      break;
  }
  return channel;
}

void Become(int fd, int target) {
  if (fd == kNone) {
    close(target);
  } else {
    dup2(fd, target);
  }
}

// Reads both streams until they end. A program must not hang because it fills one while we wait for
// the other.
void ReadBoth(Channel& out, Channel& err, Finished& finished) {
  std::array<char, 4096> buffer = {};
  while (out.parent != kNone || err.parent != kNone) {
    // poll() ignores negative descriptors.
    std::array<pollfd, 2> polled = {{{out.parent, POLLIN, 0}, {err.parent, POLLIN, 0}}};
    Check(poll(polled.data(), polled.size(), -1) >= 0, "poll");
    for (size_t i = 0; i < 2; ++i) {
      if (polled[i].revents == 0) continue;
      const ssize_t count = read(polled[i].fd, buffer.data(), buffer.size());
      // Reading at the end of a terminal gives an error.
      if (count <= 0) {
        Close(i == 0 ? out.parent : err.parent);
      } else {
        (i == 0 ? finished.out : finished.err).append(buffer.data(), static_cast<size_t>(count));
      }
    }
  }
}

}  // namespace

bool HasTerminals() {
  int ours = kNone;
  int theirs = kNone;
  if (openpty(&ours, &theirs, nullptr, nullptr, nullptr) != 0) return false;
  Close(ours);
  Close(theirs);
  return true;
}

Finished RunProgram(const std::vector<std::string>& arguments, const RunOptions& options) {
  std::FILE* input = std::tmpfile();
  Check(input != nullptr, "tmpfile");
  std::fwrite(options.input.data(), 1, options.input.size(), input);
  std::rewind(input);
  Channel out = Open(options.output);
  Channel err = Open(options.error);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  const pid_t child = fork();
  Check(child >= 0, "fork");
  if (child == 0) {
    dup2(fileno(input), STDIN_FILENO);
    Become(out.child, STDOUT_FILENO);
    Become(err.child, STDERR_FILENO);
    if (!options.folder.empty() && chdir(options.folder.c_str()) != 0) _exit(126);
    execv(argv[0], argv.data());
    _exit(127);
  }
  std::fclose(input);
  Close(out.child);
  Close(err.child);
  Finished finished;
  ReadBoth(out, err, finished);
  int status = 0;
  Check(waitpid(child, &status, 0) == child, "waitpid");
  finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

}  // namespace cssrun::tools
