// Constants: arrays and parameter structs of every operator.
#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "codegen/emit.h"
#include "graph/error.h"
#include "graph/operators.h"

namespace tinynas {
namespace {

constexpr int kLineWidth = 118;

const std::map<std::string, std::int64_t>& type_sizes() {
  static const std::map<std::string, std::int64_t> sizes = {{"int8_t", 1},   {"uint8_t", 1}, {"int16_t", 2},
                                                            {"uint16_t", 2}, {"int32_t", 4}, {"uint32_t", 4}};
  return sizes;
}

std::string literal(const std::string& type, std::int64_t value) {
  if (type == "int32_t" && value == -2147483648LL) return "INT32_MIN";
  return std::to_string(value) + (type == "uint32_t" ? "u" : "");
}

void write_array(std::ostringstream& out, const std::string& storage, const std::string& name, const ConstantArray& array) {
  if (type_sizes().count(array.type) == 0) throw InputError("[codegen] array '" + name + "': unknown type " + array.type);
  out << storage << "_Alignas(" << array.alignment << ") const " << array.type << " " << name << "[" << array.values.size()
      << "] = {\n";
  std::string line = "   ";
  for (const auto value : array.values) {
    const std::string text = " " + literal(array.type, value) + ",";
    if (line.size() + text.size() > kLineWidth) {
      out << line << "\n";
      line = "   ";
    }
    line += text;
  }
  out << line << "\n};\n";
}

std::string array_name(const Step& step, const std::string& name) { return "op_" + std::to_string(step.op) + "_" + name; }

void write_params(std::ostringstream& out, const Step& step, const std::string& name,
                  const std::vector<KernelField>& fields) {
  out << "const " << step.call.params_type << " " << name << " = {\n";
  for (const auto& field : fields) {
    const bool array = !field.value.empty() && field.value.front() == '$';
    out << "    ." << field.name << " = " << (array ? array_name(step, field.value.substr(1)) : field.value) << ",\n";
  }
  out << "};\n";
}

std::string params_name(const Program& program, const Step& step) {
  return program.options.name + "_params_" + std::to_string(step.op);
}

std::set<std::string> headers(const Program& program) {
  std::set<std::string> names;
  for (const auto& step : program.steps) names.insert(step.call.headers.begin(), step.call.headers.end());
  return names;
}

}  // namespace

std::int64_t weights_bytes(const Program& program) {
  std::int64_t bytes = 0;
  const auto add = [&](const ConstantArray& array) {
    bytes += static_cast<std::int64_t>(array.values.size()) * type_sizes().at(array.type);
  };
  for (const auto& step : program.steps) std::for_each(step.call.arrays.begin(), step.call.arrays.end(), add);
  for (const auto& operand : program.operands) add(operand.array);
  return bytes;
}

std::string emit_weights_header(const Program& program) {
  std::ostringstream out;
  const std::string guard = "TN_" + program.options.name + "_weights_h";
  out << "/* Constants of " << program.options.name << ", one parameter struct per operator. Generated; do not edit. */\n"
      << "#ifndef " << guard << "\n#define " << guard << "\n\n#include <stdint.h>\n\n";
  for (const auto& header : headers(program)) out << "#include \"" << header << "\"\n";
  out << "\n";
  for (const auto& step : program.steps) {
    const auto name = params_name(program, step);
    out << "extern const " << step.call.params_type << " " << name;
    if (!step.call.parts.empty()) out << "[" << step.call.parts.size() << "]";
    out << ";\n";
  }
  for (const auto& operand : program.operands) {
    out << "extern const int8_t " << program.options.name << "_" << operand.name << "[" << operand.array.values.size()
        << "];\n";
  }
  out << "\n#endif\n";
  return out.str();
}

std::string emit_weights(const Program& program) {
  std::ostringstream out;
  out << "/* Generated; do not edit. */\n#include \"" << program.options.name << "_weights.h\"\n";
  for (const auto& step : program.steps) {
    out << "\n/* " << step_comment(program, step) << " */\n";
    for (const auto& array : step.call.arrays) write_array(out, "static ", array_name(step, array.name), array);
    const auto name = params_name(program, step);
    if (step.call.parts.empty()) {
      write_params(out, step, name, step.call.fields);
      continue;
    }
    out << "const " << step.call.params_type << " " << name << "[" << step.call.parts.size() << "] = {\n";
    for (const auto& part : step.call.parts) {
      out << "    {";
      for (std::size_t i = 0; i < part.size(); ++i) out << (i > 0 ? ", ." : ".") << part[i].name << " = " << part[i].value;
      out << "},\n";
    }
    out << "};\n";
  }
  for (const auto& operand : program.operands) {
    out << "\n";
    write_array(out, "", program.options.name + "_" + operand.name, operand.array);
  }
  return out.str();
}

}  // namespace tinynas
