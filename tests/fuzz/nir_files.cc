// Damages NIR files, many a second: nir_files COUNT SEED PATH...
//
// Tries each file named and all files below each folder, and then COUNT random damages to them. To
// start a process for every file, as the product does, would take most of the time. Here one
// process reads a batch of files, each by the code that the product runs there, and sends what it
// reads to this one, which converts it. Where that process ends, the file that it was reading is
// tried again as the product reads it: HDF5's library may fail, which is an error like others, and
// our own code may not. Where it does not fail then, a file before has damaged the process, and all
// of them are tried in that way. Of each batch the last file that was read is read as the product
// does in any case, and must become the same. On some files the library does not end; a timer tells
// them, and one of 64 is read until the product's limit of time ends it.
//
// The input that ends this process is left in ./failed_input. Those whose reading ended in our code
// (import_nir.h), or gave something else in a batch than alone, are left in ./suspect1, ./suspect2
// and so on, and it fails at the end. HDF5's library can be the cause of both, since it reads and
// writes memory that is not its own: judge_suspects.sh tells.
#include <hdf5.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "converter/nir/read_apart.h"
#include "converter/sha256.h"
#include "tests/fuzz/import_nir.h"
#include "tests/fuzz/inputs.h"
#include "tests/fuzz/mutate_bytes.h"
#include "tests/fuzz/run_network.h"
#include "tests/fuzz/take_conversion.h"
#include "tests/fuzz/target.h"

namespace {

using namespace cssrun;
using Bytes = std::vector<uint8_t>;

constexpr size_t kBatch = 256;
constexpr suseconds_t kMicroseconds = 100000;  // of the processor, for a file; most take 500
constexpr size_t kSample = 64;                 // of the files that take longer, one of so many
constexpr int kFilesLeft = 5;                  // exit code: no more files were read

struct Tally {
  void Add(const Tally& other) {
    converted += other.converted;
    refused += other.refused;
    library_failed += other.library_failed;
    slow += other.slow;
    ended += other.ended;
    only_together += other.only_together;
  }

  size_t converted = 0;
  size_t refused = 0;
  size_t library_failed = 0;  // refused because HDF5's library failed
  size_t slow = 0;            // of them, those on which a timer ended it
  size_t ended = 0;           // processes that read a batch
  size_t only_together = 0;   // of them, those of which no file fails alone
};

Bytes input;          // NOLINT: see KeepFailedInput()
size_t suspects = 0;  // NOLINT

// Whether all of it was moved.
template <class Move, class Byte>
bool MoveAll(Move move, int descriptor, Byte* bytes, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t moved = move(descriptor, bytes + done, size - done);
    if (moved < 0 && errno == EINTR) continue;
    if (moved <= 0) return false;
    done += static_cast<size_t>(moved);
  }
  return true;
}

void Send(int to, const converter::Hdf5Reading& reading) {
  const uint64_t size = 1 + reading.rest.size();
  (void)MoveAll(write, to, reinterpret_cast<const uint8_t*>(&size), sizeof size);
  (void)MoveAll(write, to, &reading.code, 1);
  (void)MoveAll(write, to, reading.rest.data(), reading.rest.size());
}

bool Receive(int from, Bytes& sent) {
  uint64_t size = 0;
  if (!MoveAll(read, from, reinterpret_cast<uint8_t*>(&size), sizeof size)) return false;
  sent.resize(size);
  return MoveAll(read, from, sent.data(), size);
}

// Reads files until all are read, or one leaves something open in the library: the next file would
// then be taken for the same, since they have the same name.
[[noreturn]] void ReadBatch(std::span<const Bytes> files, int to) {
  fuzz::JudgeSignals();
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  for (const Bytes& file : files) {
    const itimerval time = {{0, 0}, {0, kMicroseconds}};
    setitimer(ITIMER_PROF, &time, nullptr);
    // The copy has exactly this size, so that sanitizers find reads beyond it.
    Send(to, converter::PackReading(Bytes(file.begin(), file.end())));
    if (H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) != 0) _exit(kFilesLeft);
  }
  _exit(0);
}

// Takes what was read of `input`.
void Take(std::span<const uint8_t> sent, Tally& tally) {
  const Result<converter::Hdf5Group> root = converter::UnpackReading(sent);
  if (!root.ok()) {
    fuzz::Require(root.status().code() == StatusCode::kBadModel, "refused with kBadModel");
    fuzz::Require(!root.status().message().empty(), "refused with a message");
    ++tally.refused;
    return;
  }
  const auto conversion = converter::ConvertNirTree(root.value(), converter::Sha256(input),
                                                    fuzz::kModelName, {}, {}, fuzz::kSmall);
  fuzz::TakeConversion(conversion);
  ++(conversion.ok() ? tally.converted : tally.refused);
}

// Leaves `input` in a file.
void KeepSuspect() {
  const std::string name = "suspect" + std::to_string(++suspects);
  std::ofstream(name, std::ios::binary)
      .write(reinterpret_cast<const char*>(input.data()),
             static_cast<std::streamsize>(input.size()));
  std::printf("see %s\n", name.c_str());
}

void CountImported(fuzz::Imported imported, Tally& tally) {
  switch (imported) {
    case fuzz::Imported::kConverted:
      ++tally.converted;
      break;
    case fuzz::Imported::kLibraryFailed:
      ++tally.library_failed;
      break;
    case fuzz::Imported::kRefused:
      ++tally.refused;
      break;
    case fuzz::Imported::kWeFailed:
      KeepSuspect();
      break;
  }
}

// `sent` has been read of `input` in a batch.
bool IsTheSameAlone(std::span<const uint8_t> sent) {
  const Result<converter::Hdf5Group> alone = converter::ReadHdf5Apart(input);
  const Result<converter::Hdf5Group> together = converter::UnpackReading(sent);
  return alone.ok() == together.ok() && alone.status().message() == together.status().message() &&
         (!alone.ok() ||
          converter::PackHdf5(alone.value()) == converter::PackHdf5(together.value()));
}

// Tries a file as the product does; returns whether reading it fails.
bool TryAlone(const Bytes& file, Tally& tally) {
  input = file;
  const fuzz::Imported imported = fuzz::ImportNir(input);
  CountImported(imported, tally);
  return imported == fuzz::Imported::kLibraryFailed || imported == fuzz::Imported::kWeFailed;
}

// `files` were read by a process that ended at the last of them. `together`: what was read before.
// `code`: its exit code.
void TryAgain(std::span<const Bytes> files, int code, const Tally& together, Tally& tally) {
  ++tally.ended;
  if (code == fuzz::kLibraryIsSlow && ++tally.slow % kSample != 1) {
    tally.Add(together);
    ++tally.library_failed;
    return;
  }
  Tally of_last;
  if (TryAlone(files.back(), of_last)) {
    tally.Add(together);
    tally.Add(of_last);
    return;
  }
  bool failed = false;
  for (const Bytes& file : files) failed |= TryAlone(file, tally);
  if (!failed) ++tally.only_together;
}

// Returns how many files were read; they are all, or one of them ended the process that read them,
// or left something open in the library.
size_t TryTogether(std::span<const Bytes> files, Tally& tally) {
  int ends[2] = {};
  fuzz::Require(pipe(ends) == 0, "there can be a pipe");
  const pid_t child = fork();
  fuzz::Require(child >= 0, "there can be another process");
  if (child == 0) {
    close(ends[0]);
    ReadBatch(files, ends[1]);
  }
  close(ends[1]);
  Tally together;
  size_t count = 0;
  Bytes sent;
  for (Bytes next; Receive(ends[0], next); ++count) {
    sent.swap(next);
    input = files[count];
    Take(sent, together);
  }
  close(ends[0]);
  int end = 0;
  fuzz::Require(waitpid(child, &end, 0) == child, "it ends");
  const int code = WIFEXITED(end) ? WEXITSTATUS(end) : -1;
  if (code == 0 ? count == files.size() : code == kFilesLeft && count > 0) {
    if (!IsTheSameAlone(sent)) KeepSuspect();
    tally.Add(together);
    return count;
  }
  const size_t tried = std::min(count + 1, files.size());
  TryAgain(files.first(tried), code, together, tally);
  return tried;
}

// Tries all files and forgets them.
void TryAll(std::vector<Bytes>& files, Tally& tally) {
  for (size_t done = 0; done < files.size();) {
    done += TryTogether(std::span<const Bytes>(files).subspan(done), tally);
  }
  files.clear();
}

void Print(const Tally& tally) {
  std::printf(
      "%zu files: %zu converted, %zu refused, and %zu on which HDF5's library failed, %zu of them "
      "by a timer; %zu processes ended, %zu of them on no file that ends one alone\n",
      tally.converted + tally.refused + tally.library_failed + suspects, tally.converted,
      tally.refused, tally.library_failed, tally.slow, tally.ended, tally.only_together);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  fuzz::Require(argc > 3, "usage: nir_files COUNT SEED PATH...");
  const size_t count = std::strtoul(argv[1], nullptr, 10);
  std::mt19937 random(static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10)));
  std::vector<Bytes> sound;
  for (int i = 3; i < argc; ++i) {
    for (const std::string& path : fuzz::FilesIn(argv[i])) sound.push_back(fuzz::ReadInput(path));
  }
  fuzz::Require(!sound.empty(), "there are files");
  fuzz::KeepFailedInput(input);
  // Memory that is given back after each file costs a page fault for each page of the next.
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_MMAP_THRESHOLD, 1 << 25);  // the largest
  Tally tally;
  std::vector<Bytes> batch = sound;
  TryAll(batch, tally);
  Print(tally);
  tally = {};
  const auto any = [&] { return sound[random() % sound.size()]; };
  for (size_t i = 0; i < count; ++i) {
    batch.push_back(any());
    fuzz::MutateBytes(random, any(), fuzz::kMostBytes, batch.back());
    if (batch.size() == kBatch || i + 1 == count) TryAll(batch, tally);
    if ((i + 1) % (kBatch * 4) == 0) Print(tally);
  }
  Print(tally);
  return suspects == 0 ? 0 : 1;
}
