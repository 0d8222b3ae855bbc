// The only file that knows both engines: everything else uses the interface in engine.h.
#include <variant>

#include "runtime/assert.h"
#include "runtime/engine/engine.h"
#include "runtime/float/float_engine.h"
#include "runtime/integer/integer_engine.h"

namespace cssrun::internal {
namespace {

struct Maker {
  const LoadedNetwork& network;
  const SessionOptions& options;

  std::unique_ptr<Engine> operator()(const FloatNetwork&) const {
    return std::make_unique<FloatEngine>(network, options);
  }
  std::unique_ptr<Engine> operator()(const IntegerNetwork&) const {
    return std::make_unique<IntegerEngine>(network, options);
  }
  // These have an engine of their own, EventEngine: a Session's constructor has refused them.
  std::unique_ptr<Engine> operator()(const EventNetwork&) const {
    CSSRUN_ASSERT(false);
    return nullptr;
  }
};

}  // namespace

std::unique_ptr<Engine> MakeEngine(const LoadedNetwork& network, const SessionOptions& options) {
  return std::visit(Maker{network, options}, network.layout);
}

}  // namespace cssrun::internal
