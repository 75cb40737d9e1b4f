// The health service by grpc-js: everything is SERVING. Prints its port.
import * as grpc from "@grpc/grpc-js";

const serving = Buffer.from([0x08, 0x01]);
const method = {
  requestSerialize: (bytes: Buffer) => bytes,
  requestDeserialize: (bytes: Buffer) => bytes,
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: (bytes: Buffer) => bytes,
};
const health: grpc.ServiceDefinition = {
  check: { ...method, path: "/grpc.health.v1.Health/Check", requestStream: false, responseStream: false },
  watch: { ...method, path: "/grpc.health.v1.Health/Watch", requestStream: false, responseStream: true },
};

const server = new grpc.Server();
server.addService(health, {
  check: (_call: unknown, respond: grpc.sendUnaryData<Buffer>) => respond(null, serving),
  watch: (call: grpc.ServerWritableStream<Buffer, Buffer>) => void call.write(serving),
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  console.log(JSON.stringify({ port }));
});
