#include "oracle/in_format.h"

#include <string>
#include <utility>

#include "graph/validate.h"

namespace tinynas {
namespace {

class InFormat final : public Oracle {
 public:
  InFormat(std::shared_ptr<const Oracle> oracle, Format format) : oracle_(std::move(oracle)), format_(format) {}
  [[nodiscard]] std::string name() const override { return oracle_->name(); }
  [[nodiscard]] Cost cost(const Graph& graph) const override { return oracle_->cost(formatted(graph)); }
  [[nodiscard]] std::optional<Plan> plan(const Graph& graph) const override { return oracle_->plan(formatted(graph)); }

 private:
  [[nodiscard]] Graph formatted(const Graph& graph) const {
    return has_data(graph) ? graph : in_formats(graph, uniform_formats(graph, format_));
  }

  std::shared_ptr<const Oracle> oracle_;
  Format format_;
};

}  // namespace

std::unique_ptr<Oracle> in_format(std::shared_ptr<const Oracle> oracle, Format format) {
  return std::make_unique<InFormat>(std::move(oracle), format);
}

}  // namespace tinynas
