#include "search/searcher_json.h"

#include "graph/error.h"

namespace tinynas {
namespace {

template <typename T>
nlohmann::json optional_json(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

}  // namespace

nlohmann::json to_json(const Limits& limits) {
  return {{"sram_bytes", optional_json(limits.sram_bytes)},
          {"flash_bytes", optional_json(limits.flash_bytes)},
          {"macs", optional_json(limits.macs)},
          {"latency_us", optional_json(limits.latency_us)},
          {"overhead", {{"sram_bytes", limits.overhead.sram_bytes}, {"flash_bytes", limits.overhead.flash_bytes}}}};
}

nlohmann::json to_json(const SearchOptions& options) {
  return {{"population", options.population},   {"parents", options.parents},
          {"crossovers", options.crossovers},   {"mutations", options.mutations},
          {"generations", options.generations}, {"mutation_probability", options.mutation_probability},
          {"attempts", options.attempts},       {"seed", options.seed},
          {"objectives", options.objectives}};
}

nlohmann::json to_json(const Candidate& candidate) {
  return {{"arch", to_json(candidate.arch)},
          {"sram_bytes", candidate.score.sram_bytes},
          {"flash_bytes", candidate.score.flash_bytes},
          {"macs", candidate.score.macs},
          {"latency_us", candidate.score.latency_us},
          {"accuracy", candidate.accuracy}};
}

Candidate candidate_from_json(const JsonReader& json) {
  json.only({"arch", "sram_bytes", "flash_bytes", "macs", "latency_us", "accuracy"});
  const auto whole = [&json](const char* key) { return json.field(key).integer(0, std::int64_t{1} << 62); };
  Candidate candidate;
  candidate.arch = arch_from_json(json.field("arch").raw(), json.place() + ".arch");
  candidate.score = {whole("sram_bytes"), whole("flash_bytes"), whole("macs"), json.field("latency_us").number()};
  candidate.accuracy = json.field("accuracy").number();
  return candidate;
}

void check_identity(const nlohmann::json& state, const nlohmann::json& mine) {
  const JsonReader reader(state, "search state.identity");
  for (const auto& [part, value] : mine.items()) {
    const JsonReader field = reader.field(part);
    if (field.raw() == value) continue;
    const std::string theirs = field.raw().dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    throw InputError(field.place() + ": expected that of this search, " + value.dump().substr(0, 300) + ", got " +
                     theirs.substr(0, 300));
  }
}

}  // namespace tinynas
