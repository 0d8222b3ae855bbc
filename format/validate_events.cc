#include "format/validate_events.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "format/checks.h"
#include "format/file_bytes.h"
#include "format/geometry.h"

namespace cssrun::format {
namespace {

using Parameters = flatbuffers::Vector<double>;

// Parameters and weights lie within this, so that no sum or product of a few of them overflows.
constexpr double kLargest = 1e30;
constexpr double kSmallestThreshold = 1e-30;
// A leak that takes longer to end is none: silent steps are made up for one by one.
constexpr double kLongestLeak = 1 - 0x1p-20;
// Positions of an axis times taps of its windows: what the plan of an axis takes.
constexpr uint64_t kMaximumAxis = uint64_t{1} << 24;

// Which numbers a parameter may have.
struct Range {
  double lowest;
  double highest;
};
constexpr Range kAnyNumber = {-kLargest, kLargest};
constexpr Range kShare = {0, 1};
constexpr Range kPositive = {kSmallestThreshold, kLargest};
constexpr Range kNotPositive = {-kLargest, 0};

Status CheckParameter(const std::string& where, const char* name, const Parameters* numbers,
                      const Extent& extent, Range range) {
  const std::string field = where + ": " + name;
  if (numbers == nullptr) return Bad(field, "is absent");
  const uint64_t size = numbers->size();
  if (size != 1 && size != extent.channels() && size != Neurons(extent)) {
    return Bad(field, std::to_string(size) + " numbers; one, one per channel or one per neuron");
  }
  // Written so that NaN is refused, too.
  const auto inside = [range](double x) { return x >= range.lowest && x <= range.highest; };
  if (std::all_of(numbers->begin(), numbers->end(), inside)) return Status::Ok();
  return Bad(field, "holds a number that is out of range");
}

// The parameter of a neuron, (channel * height + row) * width + column.
double At(const Parameters& numbers, const Extent& extent, uint64_t neuron) {
  if (numbers.size() == 1) return numbers.Get(0);
  const uint64_t index = numbers.size() == extent.channels() ? neuron / Positions(extent) : neuron;
  return numbers.Get(static_cast<flatbuffers::uoffset_t>(index));
}

// Neurons at rest must not fire by themselves, since nobody looks at them.
Status CheckResets(const std::string& where, const EventNode& node) {
  const Extent& extent = *node.extent();
  for (uint64_t i = 0; i < Neurons(extent); ++i) {
    const double reset = At(*node.reset_value(), extent, i);
    if (!(reset < At(*node.threshold(), extent, i))) {
      return Bad(where, "reset_value is not below threshold");
    }
  }
  return Status::Ok();
}

Status CheckSpiking(const std::string& where, const EventNode& node) {
  const Extent& extent = *node.extent();
  if (Status status = CheckParameter(where, "threshold", node.threshold(), extent, kPositive);
      !status.ok()) {
    return status;
  }
  if (node.reset() == EventReset::Subtract) return Status::Ok();
  if (node.reset() != EventReset::Value) return Bad(where, "reset is of an unknown kind");
  if (Status status = CheckParameter(where, "reset_value", node.reset_value(), extent, kAnyNumber);
      !status.ok()) {
    return status;
  }
  return CheckResets(where, node);
}

Status CheckNeurons(const std::string& where, const EventNode& node) {
  const Extent& extent = *node.extent();
  struct Field {
    const char* name;
    const Parameters* numbers;
    Range range;
    bool required;
  };
  for (const Field& field :
       {Field{"decay", node.decay(), kShare, true}, Field{"gain", node.gain(), kAnyNumber, true},
        Field{"drive", node.drive(), kAnyNumber, true},
        Field{"current_decay", node.current_decay(), kShare, false},
        Field{"floor", node.floor(), kNotPositive, false}}) {
    if (field.numbers == nullptr && !field.required) continue;
    if (Status status = CheckParameter(where, field.name, field.numbers, extent, field.range);
        !status.ok()) {
      return status;
    }
  }
  const auto too_long = [](double x) { return x > kLongestLeak && x < 1; };
  if (std::any_of(node.decay()->begin(), node.decay()->end(), too_long)) {
    return Bad(where, "decay is above 1 - 2^-20, but not 1");
  }
  return node.sending() == EventSending::Spikes ? CheckSpiking(where, node) : Status::Ok();
}

uint64_t Side(int64_t value) { return static_cast<uint64_t>(value); }

// What the plan of the axes takes, see kMaximumAxis.
uint64_t AxisWork(const EventSynapses& s, const Extent& target) {
  const Window& w = *s.window();
  const uint64_t pool_rows = s.pool() == nullptr ? 1 : Side(s.pool()->kernel_y());
  const uint64_t pool_columns = s.pool() == nullptr ? 1 : Side(s.pool()->kernel_x());
  return std::max(target.height() * Side(w.kernel_y()) * pool_rows,
                  target.width() * Side(w.kernel_x()) * pool_columns);
}

Status CheckShape(const std::string& where, const EventSynapses& s, const Extent& source,
                  const Extent& target) {
  const std::string mismatch = "does not lead from " + ToString(source) + " to " + ToString(target);
  Extent seen = source;
  if (const Window* pool = s.pool(); pool != nullptr) {
    if (Status status = CheckWindow(where + ": pool", *pool); !status.ok()) return status;
    const int64_t rows = WindowRows(*pool, source.height());
    const int64_t columns = WindowColumns(*pool, source.width());
    if (!InRange(rows, 1, kMaximumSide) || !InRange(columns, 1, kMaximumSide)) {
      return Bad(where, "pool " + mismatch);
    }
    seen = Extent(source.channels(), static_cast<uint32_t>(rows), static_cast<uint32_t>(columns));
  }
  if (Status status = CheckWindow(where + ": window", *s.window()); !status.ok()) return status;
  if (WindowRows(*s.window(), seen.height()) != target.height() ||
      WindowColumns(*s.window(), seen.width()) != target.width()) {
    return Bad(where, "window " + mismatch);
  }
  if (AxisWork(s, target) > kMaximumAxis) return Bad(where, "window is too large");
  return Status::Ok();
}

Status CheckWeights(const std::string& where, const EventSynapses& s, const Extent& source,
                    const Extent& target) {
  const Window& w = *s.window();
  if (s.groups() == 0 || source.channels() % s.groups() != 0 ||
      target.channels() % s.groups() != 0) {
    return Bad(where, "groups does not divide the channels");
  }
  const uint64_t taps = Side(w.kernel_y()) * Side(w.kernel_x());
  if (s.weights()->size() != taps * target.channels() * (source.channels() / s.groups())) {
    return Bad(where, "weights holds " + std::to_string(s.weights()->size()) +
                          " numbers and does not lead from " + ToString(source) + " to " +
                          ToString(target));
  }
  const auto sound = [](float x) { return std::abs(static_cast<double>(x)) <= kLargest; };
  if (!std::all_of(s.weights()->begin(), s.weights()->end(), sound)) {
    return Bad(where, "weights holds a number that is out of range");
  }
  if (reinterpret_cast<uintptr_t>(s.weights()->Data()) % FileBytes::kAlignment != 0) {
    return Bad(where, "weights is not aligned to 64 bytes");
  }
  return Status::Ok();
}

Status CheckSynapses(const std::string& where, const EventNetwork& events, uint32_t target,
                     const EventSynapses& s) {
  if (s.delay() > 1) return Bad(where, "delay is neither 0 nor 1");
  if (s.source() >= events.nodes()->size() || (s.delay() == 0 && s.source() >= target)) {
    return Bad(where, "source is not an earlier node");
  }
  const EventNode& source = *events.nodes()->Get(s.source());
  if (source.sending() == EventSending::Nothing) return Bad(where, "source sends nothing");
  const Extent& to = *events.nodes()->Get(target)->extent();
  if (Status status = CheckShape(where, s, *source.extent(), to); !status.ok()) return status;
  return CheckWeights(where, s, *source.extent(), to);
}

Status CheckNode(const std::string& where, const EventNetwork& events, uint32_t index) {
  const EventNode& node = *events.nodes()->Get(index);
  const bool last = index + 1 == events.nodes()->size();
  if (node.sending() > EventSending::MAX) return Bad(where, "sending is of an unknown kind");
  if (last && node.sending() == EventSending::Values) {
    return Bad(where, "sending: the last node is read and sends spikes or nothing");
  }
  if (!last && node.sending() == EventSending::Nothing) {
    return Bad(where, "sending: only the last node sends nothing");
  }
  if (index == 0) {
    if (node.synapses()->size() != 0) return Bad(where, "synapses: the input has none");
    return Status::Ok();
  }
  if (node.synapses()->size() == 0) return Bad(where, "synapses: nothing drives this node");
  return CheckNeurons(where, node);
}

Status CheckLimits(const std::string& where, uint64_t neurons, uint64_t synapses,
                   const NetworkLimits& limits) {
  if (neurons > kMaximumNeurons) return Bad(where, "the network has too many neurons");
  if (neurons > limits.neurons) return AboveLimit(where, "neurons", neurons, limits.neurons);
  const uint64_t most = std::min(limits.synapses, kMaximumSynapses);
  if (synapses > most) return AboveLimit(where, "synapses", synapses, most);
  return Status::Ok();
}

std::string NameOf(const EventNetwork& events, uint32_t index) {
  return "node " + std::to_string(index) + " (" + events.nodes()->Get(index)->name()->str() + ")";
}

// All extents come first: synapses may lead back.
Status CheckExtents(const EventNetwork& events) {
  for (uint32_t i = 0; i < events.nodes()->size(); ++i) {
    if (Status status =
            CheckExtent(NameOf(events, i) + ": extent", *events.nodes()->Get(i)->extent());
        !status.ok()) {
      return status;
    }
  }
  return Status::Ok();
}

Status CheckNodes(const EventNetwork& events, const NetworkLimits& limits) {
  uint64_t neurons = 0;
  uint64_t synapses = 0;
  for (uint32_t i = 0; i < events.nodes()->size(); ++i) {
    const EventNode& node = *events.nodes()->Get(i);
    const std::string where = NameOf(events, i);
    neurons += Neurons(*node.extent());
    if (Status status = CheckLimits(where, neurons, synapses, limits); !status.ok()) return status;
    if (Status status = CheckNode(where, events, i); !status.ok()) return status;
    for (uint32_t k = 0; k < node.synapses()->size(); ++k) {
      const EventSynapses& s = *node.synapses()->Get(k);
      if (Status status = CheckSynapses(where + ": synapses " + std::to_string(k), events, i, s);
          !status.ok()) {
        return status;
      }
      synapses += s.weights()->size() * Positions(*node.extent());
      if (Status status = CheckLimits(where, neurons, synapses, limits); !status.ok()) {
        return status;
      }
    }
  }
  return Status::Ok();
}

}  // namespace

Status ValidateEvents(const Network& network, const NetworkLimits& limits) {
  const EventNetwork& events = *network.events();
  if (network.nodes()->size() != 0) return Bad("nodes", "a network that takes events has none");
  if (network.answer() != AnswerKind::Classes) return Bad("answer", "of events: Classes");
  if (!(events.step_seconds() >= 1e-9 && events.step_seconds() <= 1e9)) {
    return Bad("step_seconds", "is not between a nanosecond and 10^9 seconds");
  }
  if (events.nodes()->size() < 2) return Bad("nodes", "there is at least an input and a layer");
  if (events.nodes()->size() > limits.layers) {
    return AboveLimit("nodes", "layers", events.nodes()->size(), limits.layers);
  }
  if (Status status = CheckExtents(events); !status.ok()) return status;
  if (Status status = CheckNodes(events, limits); !status.ok()) return status;
  const uint64_t logits = Neurons(*events.nodes()->Get(events.nodes()->size() - 1)->extent());
  if (network.labels()->size() != 0 && network.labels()->size() != logits) {
    return Bad("labels", std::to_string(network.labels()->size()) + " labels for " +
                             std::to_string(logits) + " logits");
  }
  return Status::Ok();
}

}  // namespace cssrun::format
