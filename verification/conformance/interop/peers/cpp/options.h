// `--name=value` arguments, as the test descriptions give them, and what both programs share.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

struct grpc_call;

// Part of the library for its own tests, so no header that is installed declares it.
uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);

namespace interop {

// Set on a message that is compressed, and on one that was before the library inflated it.
inline bool CameCompressed(grpc_call* call) {
  return (grpc_call_test_only_get_message_flags(call) & (0x80000000u | 0x40000000u)) != 0;
}

class Options {
 public:
  Options(int argc, char** argv) {
    for (int at = 1; at < argc; ++at) {
      std::string argument = argv[at];
      auto equals = argument.find('=');
      if (argument.rfind("--", 0) != 0 || equals == std::string::npos) continue;
      values_[argument.substr(2, equals - 2)] = argument.substr(equals + 1);
    }
  }

  std::string Text(const std::string& name, const std::string& fallback = "") const {
    auto found = values_.find(name);
    return found == values_.end() ? fallback : found->second;
  }

  int Number(const std::string& name, int fallback) const {
    auto found = values_.find(name);
    return found == values_.end() ? fallback : std::atoi(found->second.c_str());
  }

 private:
  std::map<std::string, std::string> values_;
};

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace interop
