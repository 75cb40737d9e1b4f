// gRPC C++ as interoperability client. It sees whether each response was compressed.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>

#include "grpc/testing/test.grpc.pb.h"
#include "options.h"

using grpc::ClientContext;
using grpc::Status;
using grpc::StatusCode;

namespace grpc::testing {
// The library names this class as a friend of its context.
class InteropClientContextInspector {
 public:
  static bool CameCompressed(const ClientContext& context) { return interop::CameCompressed(context.call_); }
};
}  // namespace grpc::testing

namespace {

using namespace grpc::testing;

constexpr int kLargeRequest = 271828;
constexpr int kLargeResponse = 314159;
constexpr int kRequestSizes[] = {27182, 8, 1828, 45904};
constexpr int kResponseSizes[] = {31415, 9, 2653, 58979};
const char kStatusMessage[] = "test status message";
const char kSpecialMessage[] = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001F608\t\n";

void Check(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "failed: %s\n", what.c_str());
  std::_Exit(1);
}

void CheckStatus(const Status& status, StatusCode code, const char* message = nullptr) {
  Check(status.error_code() == code,
        "status " + std::to_string(status.error_code()) + " (" + status.error_message() + ") instead of " +
            std::to_string(code));
  if (message != nullptr) Check(status.error_message() == message, "message " + status.error_message());
}

struct Test {
  const interop::Options& options;
  std::unique_ptr<TestService::Stub> stub;
  std::shared_ptr<grpc::Channel> channel;
};

std::shared_ptr<grpc::Channel> OpenChannel(const interop::Options& options) {
  grpc::ChannelArguments arguments;
  // Channels would otherwise share connections, and channel_soak must open new ones.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  auto name = options.Text("server_host_override");
  if (!name.empty()) arguments.SetSslTargetNameOverride(name);
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (options.Text("use_tls") == "true") {
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = interop::ReadFile(options.Text("ca_file"));
    credentials = grpc::SslCredentials(tls);
  }
  auto target = options.Text("server_host", "127.0.0.1") + ":" + options.Text("server_port");
  return grpc::CreateCustomChannel(target, credentials, arguments);
}

SimpleRequest LargeRequest() {
  SimpleRequest request;
  request.set_response_size(kLargeResponse);
  request.mutable_payload()->set_body(std::string(kLargeRequest, '\0'));
  return request;
}

StreamingOutputCallRequest OutputRequest(int request_bytes, int response_bytes) {
  StreamingOutputCallRequest request;
  request.add_response_parameters()->set_size(response_bytes);
  request.mutable_payload()->set_body(std::string(request_bytes, '\0'));
  return request;
}

Status CallUnary(Test& test, ClientContext& context, const SimpleRequest& request) {
  SimpleResponse response;
  Status status = test.stub->UnaryCall(&context, request, &response);
  if (status.ok()) Check(int(response.payload().body().size()) == request.response_size(), "size of the response");
  return status;
}

void EmptyUnary(Test& test) {
  ClientContext context;
  Empty response;
  CheckStatus(test.stub->EmptyCall(&context, Empty(), &response), StatusCode::OK);
}

void LargeUnary(Test& test) {
  ClientContext context;
  CheckStatus(CallUnary(test, context, LargeRequest()), StatusCode::OK);
}

void ClientStreaming(Test& test) {
  ClientContext context;
  StreamingInputCallResponse response;
  auto writer = test.stub->StreamingInputCall(&context, &response);
  for (int size : kRequestSizes) {
    StreamingInputCallRequest request;
    request.mutable_payload()->set_body(std::string(size, '\0'));
    Check(writer->Write(request), "a write");
  }
  writer->WritesDone();
  CheckStatus(writer->Finish(), StatusCode::OK);
  Check(response.aggregated_payload_size() == 74922, "the sum of sizes");
}

void ServerStreaming(Test& test) {
  ClientContext context;
  StreamingOutputCallRequest request;
  for (int size : kResponseSizes) request.add_response_parameters()->set_size(size);
  auto reader = test.stub->StreamingOutputCall(&context, request);
  StreamingOutputCallResponse response;
  for (int size : kResponseSizes) {
    Check(reader->Read(&response) && int(response.payload().body().size()) == size, "a response");
  }
  Check(!reader->Read(&response), "the number of responses");
  CheckStatus(reader->Finish(), StatusCode::OK);
}

void PingPong(Test& test) {
  ClientContext context;
  auto stream = test.stub->FullDuplexCall(&context);
  StreamingOutputCallResponse response;
  for (int at = 0; at < 4; ++at) {
    Check(stream->Write(OutputRequest(kRequestSizes[at], kResponseSizes[at])), "a write");
    Check(stream->Read(&response) && int(response.payload().body().size()) == kResponseSizes[at], "a response");
  }
  stream->WritesDone();
  Check(!stream->Read(&response), "the number of responses");
  CheckStatus(stream->Finish(), StatusCode::OK);
}

void EmptyStream(Test& test) {
  ClientContext context;
  auto stream = test.stub->FullDuplexCall(&context);
  stream->WritesDone();
  StreamingOutputCallResponse response;
  Check(!stream->Read(&response), "no response");
  CheckStatus(stream->Finish(), StatusCode::OK);
}

void CustomMetadata(Test& test) {
  auto add = [](ClientContext& context) {
    context.AddMetadata("x-grpc-test-echo-initial", "test_initial_metadata_value");
    context.AddMetadata("x-grpc-test-echo-trailing-bin", "\xab\xab\xab");
  };
  auto check = [](const ClientContext& context) {
    auto initial = context.GetServerInitialMetadata().find("x-grpc-test-echo-initial");
    Check(initial != context.GetServerInitialMetadata().end() && initial->second == "test_initial_metadata_value",
          "the echo in the header");
    auto trailing = context.GetServerTrailingMetadata().find("x-grpc-test-echo-trailing-bin");
    Check(trailing != context.GetServerTrailingMetadata().end() && trailing->second == "\xab\xab\xab",
          "the echo in the trailer");
  };
  ClientContext unary;
  add(unary);
  CheckStatus(CallUnary(test, unary, LargeRequest()), StatusCode::OK);
  check(unary);
  ClientContext duplex;
  add(duplex);
  auto stream = test.stub->FullDuplexCall(&duplex);
  Check(stream->Write(OutputRequest(kLargeRequest, kLargeResponse)), "a write");
  stream->WritesDone();
  StreamingOutputCallResponse response;
  while (stream->Read(&response)) {
  }
  CheckStatus(stream->Finish(), StatusCode::OK);
  check(duplex);
}

void StatusCodeAndMessage(Test& test) {
  ClientContext unary;
  SimpleRequest request;
  request.mutable_response_status()->set_code(2);
  request.mutable_response_status()->set_message(kStatusMessage);
  CheckStatus(CallUnary(test, unary, request), StatusCode::UNKNOWN, kStatusMessage);
  ClientContext duplex;
  auto stream = test.stub->FullDuplexCall(&duplex);
  StreamingOutputCallRequest output;
  *output.mutable_response_status() = request.response_status();
  stream->Write(output);
  stream->WritesDone();
  StreamingOutputCallResponse response;
  while (stream->Read(&response)) {
  }
  CheckStatus(stream->Finish(), StatusCode::UNKNOWN, kStatusMessage);
}

void SpecialStatusMessage(Test& test) {
  ClientContext context;
  SimpleRequest request;
  request.mutable_response_status()->set_code(2);
  request.mutable_response_status()->set_message(kSpecialMessage);
  CheckStatus(CallUnary(test, context, request), StatusCode::UNKNOWN, kSpecialMessage);
}

void UnimplementedMethod(Test& test) {
  ClientContext context;
  Empty response;
  CheckStatus(test.stub->UnimplementedCall(&context, Empty(), &response), StatusCode::UNIMPLEMENTED);
}

void UnimplementedServiceCall(Test& test) {
  ClientContext context;
  Empty response;
  auto stub = UnimplementedService::NewStub(test.channel);
  CheckStatus(stub->UnimplementedCall(&context, Empty(), &response), StatusCode::UNIMPLEMENTED);
}

void CancelAfterBegin(Test& test) {
  ClientContext context;
  StreamingInputCallResponse response;
  auto writer = test.stub->StreamingInputCall(&context, &response);
  context.TryCancel();
  CheckStatus(writer->Finish(), StatusCode::CANCELLED);
}

void CancelAfterFirstResponse(Test& test) {
  ClientContext context;
  auto stream = test.stub->FullDuplexCall(&context);
  StreamingOutputCallResponse response;
  Check(stream->Write(OutputRequest(27182, 31415)), "a write");
  Check(stream->Read(&response), "a response");
  context.TryCancel();
  CheckStatus(stream->Finish(), StatusCode::CANCELLED);
}

void TimeoutOnSleepingServer(Test& test) {
  ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
  auto stream = test.stub->FullDuplexCall(&context);
  StreamingOutputCallRequest request;
  request.mutable_payload()->set_body(std::string(27182, '\0'));
  stream->Write(request);
  CheckStatus(stream->Finish(), StatusCode::DEADLINE_EXCEEDED);
}

void ClientCompressedUnary(Test& test) {
  auto call = [&](bool expected, bool compressed) {
    ClientContext context;
    context.set_compression_algorithm(compressed ? GRPC_COMPRESS_GZIP : GRPC_COMPRESS_NONE);
    SimpleRequest request = LargeRequest();
    request.mutable_expect_compressed()->set_value(expected);
    return CallUnary(test, context, request);
  };
  CheckStatus(call(true, false), StatusCode::INVALID_ARGUMENT);
  CheckStatus(call(true, true), StatusCode::OK);
  CheckStatus(call(false, false), StatusCode::OK);
}

void ClientCompressedStreaming(Test& test) {
  StreamingInputCallRequest claim;
  claim.mutable_expect_compressed()->set_value(true);
  claim.mutable_payload()->set_body(std::string(27182, '\0'));
  StreamingInputCallResponse response;
  {
    ClientContext context;
    auto writer = test.stub->StreamingInputCall(&context, &response);
    writer->Write(claim);
    writer->WritesDone();
    CheckStatus(writer->Finish(), StatusCode::INVALID_ARGUMENT);
  }
  ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  auto writer = test.stub->StreamingInputCall(&context, &response);
  Check(writer->Write(claim), "the compressed write");
  StreamingInputCallRequest honest;
  honest.mutable_expect_compressed()->set_value(false);
  honest.mutable_payload()->set_body(std::string(45904, '\0'));
  Check(writer->Write(honest, grpc::WriteOptions().set_no_compression()), "the plain write");
  writer->WritesDone();
  CheckStatus(writer->Finish(), StatusCode::OK);
  Check(response.aggregated_payload_size() == 73086, "the sum of sizes");
}

void ServerCompressedUnary(Test& test) {
  for (bool compressed : {true, false}) {
    ClientContext context;
    SimpleRequest request = LargeRequest();
    request.mutable_response_compressed()->set_value(compressed);
    CheckStatus(CallUnary(test, context, request), StatusCode::OK);
    Check(InteropClientContextInspector::CameCompressed(context) == compressed, "the response's compression");
  }
}

void ServerCompressedStreaming(Test& test) {
  const std::pair<bool, int> expected[] = {{true, 31415}, {false, 92653}};
  ClientContext context;
  StreamingOutputCallRequest request;
  for (auto [compressed, size] : expected) {
    auto* parameters = request.add_response_parameters();
    parameters->mutable_compressed()->set_value(compressed);
    parameters->set_size(size);
  }
  auto reader = test.stub->StreamingOutputCall(&context, request);
  StreamingOutputCallResponse response;
  for (auto [compressed, size] : expected) {
    Check(reader->Read(&response) && int(response.payload().body().size()) == size, "a response");
    Check(InteropClientContextInspector::CameCompressed(context) == compressed, "the response's compression");
  }
  Check(!reader->Read(&response), "the number of responses");
  CheckStatus(reader->Finish(), StatusCode::OK);
}

void Soak(Test& test, bool per_call) {
  using Clock = std::chrono::steady_clock;
  const auto& options = test.options;
  const auto begin = Clock::now();
  const auto most = std::chrono::milliseconds(options.Number("soak_per_iteration_max_acceptable_latency_ms", 1000));
  int failures = 0;
  for (int done = 0; done < options.Number("soak_iterations", 10); ++done) {
    const auto start = Clock::now();
    Check(start - begin < std::chrono::seconds(options.Number("soak_overall_timeout_seconds", 10)), "the time");
    auto stub = per_call ? TestService::NewStub(OpenChannel(options)) : nullptr;
    ClientContext context;
    SimpleResponse response;
    const Status status = (per_call ? stub : test.stub)->UnaryCall(&context, LargeRequest(), &response);
    const bool is_right = status.ok() && response.payload().body().size() == kLargeResponse;
    if (!is_right || Clock::now() - start > most) ++failures;
  }
  Check(failures <= options.Number("soak_max_failures", 0), std::to_string(failures) + " calls failed");
}

}  // namespace

int main(int argc, char** argv) {
  interop::Options options(argc, argv);
  const std::map<std::string, std::function<void(Test&)>> cases = {
      {"empty_unary", EmptyUnary},
      {"large_unary", LargeUnary},
      {"client_streaming", ClientStreaming},
      {"server_streaming", ServerStreaming},
      {"ping_pong", PingPong},
      {"empty_stream", EmptyStream},
      {"custom_metadata", CustomMetadata},
      {"status_code_and_message", StatusCodeAndMessage},
      {"special_status_message", SpecialStatusMessage},
      {"unimplemented_method", UnimplementedMethod},
      {"unimplemented_service", UnimplementedServiceCall},
      {"cancel_after_begin", CancelAfterBegin},
      {"cancel_after_first_response", CancelAfterFirstResponse},
      {"timeout_on_sleeping_server", TimeoutOnSleepingServer},
      {"client_compressed_unary", ClientCompressedUnary},
      {"client_compressed_streaming", ClientCompressedStreaming},
      {"server_compressed_unary", ServerCompressedUnary},
      {"server_compressed_streaming", ServerCompressedStreaming},
      {"rpc_soak", [](Test& test) { Soak(test, false); }},
      {"channel_soak", [](Test& test) { Soak(test, true); }},
  };
  auto found = cases.find(options.Text("test_case"));
  if (found == cases.end()) {
    std::fprintf(stderr, "unknown test case\n");
    return 2;
  }
  auto channel = OpenChannel(options);
  Test test{options, TestService::NewStub(channel), channel};
  found->second(test);
}
