// gRPC C++'s echo server, on the callback API. Its argument is the port (0 for any free one).
#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

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

// Responds after a timer of a millisecond.
class LaterWriter final : public grpc::ServerUnaryReactor {
 public:
  LaterWriter(const echo::EchoRequest& request, echo::EchoResponse* response) {
    alarm_.Set(std::chrono::system_clock::now() + std::chrono::milliseconds(1), [this, &request, response](bool) {
      response->set_message(request.message());
      response->set_payload(request.payload());
      Finish(grpc::Status::OK);
    });
  }
  void OnDone() override { delete this; }

 private:
  grpc::Alarm alarm_;
};

// The rows for ListUsers, with the same values as peers/users.ts.
struct UserRow {
  std::string id, name, email;
  std::vector<std::string> roles;
  bool is_active;
  uint32_t created_at_seconds;
  std::string street;
};

std::vector<UserRow> UserRows() {
  std::vector<UserRow> rows;
  for (uint32_t index = 0; index < 20; ++index) {
    const std::string number = (index < 10 ? "0" : "") + std::to_string(index);
    rows.push_back({"0f8fad5b-d9cb-469f-a165-7086772895" + number,
                    "Ada Lovelace " + number,
                    "ada.lovelace." + number + "@example.com",
                    index % 4 == 0 ? std::vector<std::string>{"member", "admin"} : std::vector<std::string>{"member"},
                    index % 5 != 0,
                    1700000000 + index * 86400,
                    number + " Ockham Park Lane"});
  }
  return rows;
}

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
  grpc::ServerUnaryReactor* UnaryLater(grpc::CallbackServerContext*, const echo::EchoRequest* request,
                                       echo::EchoResponse* response) override {
    return new LaterWriter(*request, response);
  }
  // Builds the messages of a response, like a handler from the rows of a query.
  grpc::ServerUnaryReactor* ListUsers(grpc::CallbackServerContext* context, const echo::ListUsersRequest* request,
                                      echo::ListUsersResponse* response) override {
    const size_t count = std::min<size_t>(request->page_size(), rows_.size());
    for (size_t index = 0; index < count; ++index) {
      const UserRow& row = rows_[index];
      echo::User* user = response->add_users();
      user->set_id(row.id);
      user->set_name(row.name);
      user->set_email(row.email);
      for (const std::string& role : row.roles) user->add_roles(role);
      user->set_is_active(row.is_active);
      user->set_created_at_seconds(row.created_at_seconds);
      echo::Address* address = user->mutable_address();
      address->set_street(row.street);
      address->set_city("London");
      address->set_postal_code("SW1Y 4JH");
      address->set_country_code("GB");
      user->set_time_zone("Europe/London");
      user->set_locale("en-GB");
    }
    response->set_total(rows_.size());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  const std::vector<UserRow> rows_ = UserRows();
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: server <port>\n");
    return 1;
  }
  // Blocked before any thread exists, so that only sigwait below receives the signal.
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
