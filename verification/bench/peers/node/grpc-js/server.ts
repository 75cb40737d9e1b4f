import {
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
} from "@grpc/grpc-js";
import { announce, portArgument } from "../../serve.ts";
import { tlsFiles } from "../../tls-files.ts";
import { toUser, userRows } from "../../users.ts";
import {
  type EchoRequest,
  type EchoResponse,
  EchoService,
  type ListUsersRequest,
  type ListUsersResponse,
  type StreamRequest,
  type SummaryResponse,
} from "./echo-definition.ts";

const unary: handleUnaryCall<EchoRequest, EchoResponse> = (call, callback) => {
  callback(null, { message: call.request.message, payload: call.request.payload });
};

const serverStream: handleServerStreamingCall<StreamRequest, EchoResponse> = (call) => {
  const response = { message: "", payload: Buffer.alloc(call.request.payloadSize) };
  let left = call.request.count;
  const write = () => {
    while (left > 0) {
      left--;
      if (!call.write(response) && left > 0) {
        call.once("drain", write);
        return;
      }
    }
    call.end();
  };
  write();
};

const clientStream: handleClientStreamingCall<EchoRequest, SummaryResponse> = (call, callback) => {
  const summary = { messages: 0, payloadBytes: 0 };
  call.on("data", (request: EchoRequest) => {
    summary.messages++;
    summary.payloadBytes += request.payload.length;
  });
  call.on("end", () => callback(null, summary));
};

const unaryLater: handleUnaryCall<EchoRequest, EchoResponse> = (call, callback) => {
  setTimeout(() => callback(null, { message: call.request.message, payload: call.request.payload }), 1);
};

const rows = userRows();
const listUsers: handleUnaryCall<ListUsersRequest, ListUsersResponse> = (call, callback) => {
  callback(null, { users: rows.slice(0, call.request.pageSize).map(toUser), total: rows.length });
};

const tls = tlsFiles();
const credentials =
  tls === undefined
    ? ServerCredentials.createInsecure()
    : ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }]);
const server = new Server();
server.addService(EchoService.service, { unary, serverStream, clientStream, unaryLater, listUsers });
server.bindAsync(`127.0.0.1:${portArgument()}`, credentials, (error, port) => {
  if (error) throw error;
  announce(port, () => server.forceShutdown());
});
