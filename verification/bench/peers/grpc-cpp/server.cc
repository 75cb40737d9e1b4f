// gRPC C++'s echo server, on the callback API: its one argument is the port (0 for any free one).
#include <grpcpp/grpcpp.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "echo.grpc.pb.h"

namespace echo = bench::echo::v1;

namespace {

class StreamWriter final : public grpc::ServerWriteReactor<echo::EchoResponse> {
 public:
  explicit StreamWriter(const echo::StreamRequest& request) : left_(request.count()) {
    response_.set_payload(std::string(request.payload_size(), '\0'));
    Next();
  }
  void OnWriteDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the client has gone"));
    } else {
      Next();
    }
  }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (left_ == 0) {
      Finish(grpc::Status::OK);
      return;
    }
    --left_;
    StartWrite(&response_);
  }

  uint32_t left_;
  echo::EchoResponse response_;
};

class StreamReader final : public grpc::ServerReadReactor<echo::EchoRequest> {
 public:
  explicit StreamReader(echo::SummaryResponse* summary) : summary_(summary) { StartRead(&request_); }
  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status::OK);
      return;
    }
    summary_->set_messages(summary_->messages() + 1);
    summary_->set_payload_bytes(summary_->payload_bytes() + request_.payload().size());
    StartRead(&request_);
  }
  void OnDone() override { delete this; }

 private:
  echo::SummaryResponse* summary_;
  echo::EchoRequest request_;
};

class EchoService final : public echo::EchoService::CallbackService {
  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, const echo::EchoRequest* request,
                                  echo::EchoResponse* response) override {
    response->set_message(request->message());
    response->set_payload(request->payload());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  grpc::ServerWriteReactor<echo::EchoResponse>* ServerStream(grpc::CallbackServerContext*,
                                                             const echo::StreamRequest* request) override {
    return new StreamWriter(*request);
  }
  grpc::ServerReadReactor<echo::EchoRequest>* ClientStream(grpc::CallbackServerContext*,
                                                           echo::SummaryResponse* summary) override {
    return new StreamReader(summary);
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: server <port>\n");
    return 1;
  }
  // Blocked before any thread exists, so that only sigwait below ever sees the signal.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  EchoService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(std::string("127.0.0.1:") + argv[1], grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::printf("{\"port\":%d}\n", port);
  std::fflush(stdout);

  int signal = 0;
  sigwait(&stop, &signal);
  server->Shutdown(std::chrono::system_clock::now());
  server->Wait();
  return 0;
}
