// gRPC C++'s client, on the callback API: <target> <unary|stream> <concurrency> <seconds> [<messages> <payload bytes>].
//
// Each caller starts its next call in the callback of the last one, so that no thread waits. One JSON line reports the
// calls of the measured seconds. Calls that are running at the end are dropped.
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "echo.grpc.pb.h"

namespace echo = bench::echo::v1;

namespace {

constexpr char kMessage[] = "hello from the bench";
constexpr std::chrono::seconds kWarmUp{5};

// The messages of each streaming call, unless the command line sets them.
uint32_t messages_per_stream = 1000;
uint32_t payload_size = 16;

std::atomic<int64_t> done{0};

// The first failure ends the process without a figure, because failing calls must not be measured.
[[noreturn]] void Fail(const std::string& reason) {
  std::fprintf(stderr, "%s\n", reason.c_str());
  std::_Exit(1);
}

class UnaryCaller {
 public:
  explicit UnaryCaller(echo::EchoService::Stub* stub) : stub_(stub) { request_.set_message(kMessage); }

  void Start() {
    // A context serves one call only.
    context_ = std::make_unique<grpc::ClientContext>();
    stub_->async()->Unary(context_.get(), &request_, &response_, [this](const grpc::Status& status) {
      if (!status.ok()) Fail(status.error_message());
      if (response_.message() != kMessage) Fail("the answer is another message");
      done.fetch_add(1, std::memory_order_relaxed);
      Start();
    });
  }

 private:
  echo::EchoService::Stub* stub_;
  std::unique_ptr<grpc::ClientContext> context_;
  echo::EchoRequest request_;
  echo::EchoResponse response_;
};

class StreamCaller final : public grpc::ClientReadReactor<echo::EchoResponse> {
 public:
  explicit StreamCaller(echo::EchoService::Stub* stub) : stub_(stub) {
    request_.set_count(messages_per_stream);
    request_.set_payload_size(payload_size);
  }

  void Start() {
    received_ = 0;
    context_ = std::make_unique<grpc::ClientContext>();
    stub_->async()->ServerStream(context_.get(), &request_, this);
    StartRead(&response_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (response_.payload().size() != payload_size) Fail("a message has another size");
    ++received_;
    done.fetch_add(1, std::memory_order_relaxed);
    StartRead(&response_);
  }
  void OnDone(const grpc::Status& status) override {
    if (!status.ok()) Fail(status.error_message());
    if (received_ != messages_per_stream) Fail("the stream ended early");
    Start();
  }

 private:
  echo::EchoService::Stub* stub_;
  std::unique_ptr<grpc::ClientContext> context_;
  echo::StreamRequest request_;
  echo::EchoResponse response_;
  uint32_t received_ = 0;
};

template <typename Caller>
void StartCallers(std::vector<std::unique_ptr<Caller>>& callers, echo::EchoService::Stub* stub, int concurrency) {
  for (int i = 0; i < concurrency; ++i) callers.push_back(std::make_unique<Caller>(stub));
  for (auto& caller : callers) caller->Start();
}

int64_t Micros(const timeval& time) { return int64_t{time.tv_sec} * 1000000 + time.tv_usec; }

int64_t CpuMicros() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return Micros(usage.ru_utime) + Micros(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5 && argc != 7) {
    Fail("usage: client <target> <unary|stream> <concurrency> <seconds> [<messages> <payload bytes>]");
  }
  const std::string kind = argv[2];
  const int concurrency = std::atoi(argv[3]);
  const double seconds = std::atof(argv[4]);
  if (concurrency < 1 || !(seconds > 0)) Fail("concurrency and seconds have to be positive");
  if (argc == 7) {
    messages_per_stream = std::atoi(argv[5]);
    payload_size = std::atoi(argv[6]);
  }
  if (kind != "unary" && kind != "stream") Fail(kind + " is not a kind of call");

  auto channel = grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials());
  auto stub = echo::EchoService::NewStub(channel);
  std::vector<std::unique_ptr<UnaryCaller>> unary_callers;
  std::vector<std::unique_ptr<StreamCaller>> stream_callers;
  if (kind == "unary") {
    StartCallers(unary_callers, stub.get(), concurrency);
  } else {
    StartCallers(stream_callers, stub.get(), concurrency);
  }

  std::this_thread::sleep_for(kWarmUp);
  // Reports when the CPU time of the server begins to count.
  std::printf("{\"measuring\":true}\n");
  std::fflush(stdout);
  const auto started = std::chrono::steady_clock::now();
  const int64_t cpu_before = CpuMicros();
  const int64_t done_before = done.load();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const int64_t counted = done.load() - done_before;
  const int64_t cpu = CpuMicros() - cpu_before;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started;

  std::printf("{\"%s\":%lld,\"seconds\":%.6f,\"cpuMicros\":%lld}\n", kind == "unary" ? "calls" : "messages",
              static_cast<long long>(counted), elapsed.count(), static_cast<long long>(cpu));
  std::fflush(stdout);
  // Calls are still running on threads of the library, but they do not count.
  std::_Exit(0);
}
