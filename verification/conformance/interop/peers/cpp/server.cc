// gRPC C++ as interoperability server, with every feature of the test descriptions except load reports and credentials.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "grpc/testing/test.grpc.pb.h"
#include "options.h"

using grpc::ServerContext;
using grpc::Status;
using grpc::StatusCode;

namespace grpc::testing {
// The library names this class as a friend of its context.
class InteropServerContextInspector {
 public:
  static bool CameCompressed(const ServerContext& context) {
    return interop::CameCompressed(context.call_.call);
  }
};
}  // namespace grpc::testing

namespace {

using namespace grpc::testing;

void EchoMetadata(ServerContext* context) {
  const auto& metadata = context->client_metadata();
  auto initial = metadata.find("x-grpc-test-echo-initial");
  if (initial != metadata.end()) {
    context->AddInitialMetadata("x-grpc-test-echo-initial", std::string(initial->second.data(), initial->second.size()));
  }
  auto trailing = metadata.find("x-grpc-test-echo-trailing-bin");
  if (trailing != metadata.end()) {
    context->AddTrailingMetadata("x-grpc-test-echo-trailing-bin",
                                 std::string(trailing->second.data(), trailing->second.size()));
  }
}

template <typename Request>
bool LiesAboutCompression(const ServerContext& context, const Request& request) {
  return request.has_expect_compressed() && request.expect_compressed().value() &&
         !InteropServerContextInspector::CameCompressed(context);
}

Status NotCompressed() { return Status(StatusCode::INVALID_ARGUMENT, "the message is not compressed"); }

template <typename Request>
Status AskedStatus(const Request& request) {
  return Status(static_cast<StatusCode>(request.response_status().code()), request.response_status().message());
}

class TestServiceImpl final : public TestService::Service {
  Status EmptyCall(ServerContext*, const Empty*, Empty*) override { return Status::OK; }

  Status UnaryCall(ServerContext* context, const SimpleRequest* request, SimpleResponse* response) override {
    EchoMetadata(context);
    if (LiesAboutCompression(*context, *request)) return NotCompressed();
    if (request->has_response_status() && request->response_status().code() != 0) return AskedStatus(*request);
    if (request->has_response_compressed()) {
      context->set_compression_algorithm(request->response_compressed().value() ? GRPC_COMPRESS_GZIP
                                                                                : GRPC_COMPRESS_NONE);
    }
    response->mutable_payload()->set_body(std::string(request->response_size(), '\0'));
    return Status::OK;
  }

  Status StreamingInputCall(ServerContext* context, grpc::ServerReader<StreamingInputCallRequest>* reader,
                            StreamingInputCallResponse* response) override {
    StreamingInputCallRequest request;
    int bytes = 0;
    while (reader->Read(&request)) {
      if (LiesAboutCompression(*context, request)) return NotCompressed();
      bytes += request.payload().body().size();
    }
    response->set_aggregated_payload_size(bytes);
    return Status::OK;
  }

  Status StreamingOutputCall(ServerContext* context, const StreamingOutputCallRequest* request,
                             grpc::ServerWriter<StreamingOutputCallResponse>* writer) override {
    for (const auto& parameters : request->response_parameters()) {
      if (parameters.compressed().value()) context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    }
    WriteAll(*request, writer);
    return Status::OK;
  }

  Status FullDuplexCall(
      ServerContext* context,
      grpc::ServerReaderWriter<StreamingOutputCallResponse, StreamingOutputCallRequest>* stream) override {
    EchoMetadata(context);
    StreamingOutputCallRequest request;
    while (stream->Read(&request)) {
      if (request.has_response_status() && request.response_status().code() != 0) return AskedStatus(request);
      WriteAll(request, stream);
    }
    return Status::OK;
  }

  template <typename Writer>
  static void WriteAll(const StreamingOutputCallRequest& request, Writer* writer) {
    for (const auto& parameters : request.response_parameters()) {
      std::this_thread::sleep_for(std::chrono::microseconds(parameters.interval_us()));
      StreamingOutputCallResponse response;
      response.mutable_payload()->set_body(std::string(parameters.size(), '\0'));
      grpc::WriteOptions options;
      if (parameters.has_compressed() && !parameters.compressed().value()) options.set_no_compression();
      if (!writer->Write(response, options)) return;
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  interop::Options options(argc, argv);
  TestServiceImpl service;
  grpc::ServerBuilder builder;
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
  if (options.Text("use_tls") == "true") {
    grpc::SslServerCredentialsOptions tls;
    tls.pem_key_cert_pairs.push_back(
        {interop::ReadFile(options.Text("tls_key_file")), interop::ReadFile(options.Text("tls_cert_file"))});
    credentials = grpc::SslServerCredentials(tls);
  }
  builder.AddListeningPort("127.0.0.1:" + options.Text("port"), credentials);
  builder.RegisterService(&service);
  auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::printf("%s\n", options.Text("port").c_str());
  std::fflush(stdout);
  server->Wait();
}
