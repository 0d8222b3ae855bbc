// Runs one recording after another through a network that takes events.
#ifndef CSSRUN_TOOLS_RECORDINGS_RECORDING_RUN_H_
#define CSSRUN_TOOLS_RECORDINGS_RECORDING_RUN_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "cssrun/event_session.h"
#include "cssrun/network.h"
#include "cssrun/status.h"
#include "tools/image_list.h"
#include "tools/label_file.h"
#include "tools/recordings/event.h"
#include "tools/recordings/recording.h"
#include "tools/recordings/recording_lines.h"
#include "tools/recordings/silence.h"
#include "tools/recordings/step_cutter.h"
#include "tools/report/recording_tally.h"

namespace cssrun::tools {

inline constexpr uint64_t kOnlyTheEnd = std::numeric_limits<uint64_t>::max();

struct RecordingRunOptions {
  CutOptions cut;
  uint64_t answer_steps = kOnlyTheEnd;  // from answer to answer
  size_t topk = 1;
  OutputFormat format = OutputFormat::kText;
  bool profile = false;
  // Paths that the user named. A pipe among them is read for as long as it takes; one that lies in
  // a folder is none of its recordings, and nobody may ever write to it.
  std::set<std::string> named = {};
};

// What a recording came to.
struct RecordingOutcome {
  Status status;
  RecordingResult result;  // with the path and the error if the status is not ok
  bool right_in_five = false;
  std::optional<StepCutter> cutter;  // none before the first event
  std::vector<EventLayer> layers;
  Damage damage;
  double load_seconds = 0;
  double run_seconds = 0;
  RecordingSamples samples;  // where they were asked for
};

// One thread at a time; others may have runs of their own on the same network.
class RecordingRun {
 public:
  // Errors: those of EventSession::Create().
  static Result<std::unique_ptr<RecordingRun>> Create(std::shared_ptr<const Network> network,
                                                      const RecordingRunOptions& options);

  // Runs a recording to its end and hands each line of output to `write`, as soon as it is known.
  // `sample` asks for samples. A status of kCancelled: interrupted, without an answer. An
  // interrupted pipe ends, and is answered.
  RecordingOutcome Run(const ImageFile& file, bool sample,
                       const std::function<void(const std::string&)>& write);

 private:
  RecordingRun(std::shared_ptr<const Network> network, const RecordingRunOptions& options,
               EventSession session);
  void Begin(const ImageFile& file, bool sample);
  Status RunToTheEnd();
  Status RunEvents(Recording& recording);
  Recording::Clock::time_point NextDue(const Recording& recording) const;
  Status AnswerInSilence();
  void EndSilence(size_t waited);
  Status AdvanceOver(uint64_t step);
  void AddUp();
  uint64_t NextSample() const;
  uint64_t AfterAnswer(size_t fed, uint64_t step);
  void Sample();
  void Answer(const EventSession& session, bool live);
  void Fail(const Status& status);

  const std::shared_ptr<const Network> network_;
  const RecordingRunOptions options_;
  const Twins twins_;
  EventSession session_;
  Silence silence_;

  // Of the recording that runs.
  const ImageFile* file_ = nullptr;
  const std::function<void(const std::string&)>* write_ = nullptr;
  RecordingOutcome outcome_;
  std::vector<TimedEvent> waiting_;  // cut, and not yet fed
  std::vector<uint32_t> sums_;       // of events of one step, by address
  uint64_t next_answer_ = 0;         // the steps before it
  uint64_t answered_events_ = 0;
  uint64_t silent_answers_ = 0;
  bool sampling_ = false;
  RecordingSamples::Sample sample_;
  std::vector<uint64_t> sampled_spikes_;
  uint64_t sampled_steps_ = 0;
  std::vector<float> logits_;
};

}  // namespace cssrun::tools

#endif  // CSSRUN_TOOLS_RECORDINGS_RECORDING_RUN_H_
