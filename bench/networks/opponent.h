// A program of others as a contender: a command that stays alive between its turns.
//
// It reads requests from standard input, one a line, and prints one line for each:
//
//     run FIRST COUNT    runs pictures FIRST, FIRST + 1, ..., around at the end, one at a time, and
//                        prints how many milliseconds one took
//     answers            runs all pictures and prints the number of each one's class
//     memory             prints how many MiB a process takes to answer one picture, less what it
//                        takes without a model
//
// It ends when its standard input does. What it has to say to people goes to standard error.
#ifndef CSSRUN_BENCH_NETWORKS_OPPONENT_H_
#define CSSRUN_BENCH_NETWORKS_OPPONENT_H_

#include <sys/types.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "bench/networks/contender.h"
#include "cssrun/status.h"

namespace cssrun::bench {

// Normalized pictures as a file without a name, which goes with this process: 32-bit floats,
// planar, one picture after another.
class PictureFile {
 public:
  static Result<PictureFile> Write(const Pictures& pictures);
  PictureFile(PictureFile&& other) noexcept;
  PictureFile& operator=(PictureFile&& other) = delete;
  ~PictureFile();

  // A path that other processes of the same user can open.
  std::string path() const;

 private:
  explicit PictureFile(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

class Opponent {
 public:
  // Starts `command` with the shell. Error: kIo.
  static Result<std::shared_ptr<Opponent>> Start(const std::string& command);
  Opponent(const Opponent&) = delete;
  Opponent& operator=(const Opponent&) = delete;
  ~Opponent();  // ends it

  // Errors: kInvalidArgument with the command and what is wrong with its answer.
  Result<double> Run(size_t first, size_t count);  // seconds of an image
  Result<std::vector<size_t>> Answers(size_t pictures);
  Result<double> MemoryMib();

 private:
  Opponent(std::string command, pid_t process, FILE* requests, FILE* replies);
  Result<std::string> Ask(const std::string& request);
  // A reply that is one positive number: `what`, for an error.
  Result<double> AskNumber(const std::string& request, const std::string& what);

  std::string command_;
  pid_t process_;
  FILE* requests_;
  FILE* replies_;
};

// The contender of an opponent.
Contender ContenderOf(const std::string& name, const std::shared_ptr<Opponent>& opponent,
                      size_t pictures);

// Splits NAME=COMMAND and replaces {pictures} and {calibration} in the command by these paths.
// Error: kInvalidArgument without a NAME of letters, digits and underscores, or with {calibration}
// where its path is empty.
struct NamedCommand {
  std::string name;
  std::string command;
};
Result<NamedCommand> ParseOpponent(const std::string& option, const std::string& pictures,
                                   const std::string& calibration);

}  // namespace cssrun::bench

#endif  // CSSRUN_BENCH_NETWORKS_OPPONENT_H_
