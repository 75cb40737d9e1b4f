/** grpc-js as interoperability server. It cannot select compression by message, or see whether a message was compressed. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { bodyBytes, type Fields, payload, TestService } from "./service.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    use_tls: { type: "string", default: "false" },
    tls_cert_file: { type: "string", default: "" },
    tls_key_file: { type: "string", default: "" },
  },
});

type UnaryCall = grpc.ServerUnaryCall<Fields, Fields>;
type OutputCall = grpc.ServerWritableStream<Fields, Fields>;
type DuplexCall = grpc.ServerDuplexStream<Fields, Fields>;

const server = new grpc.Server();
server.addService(TestService.service, {
  emptyCall: (_call: UnaryCall, callback: grpc.sendUnaryData<Fields>) => callback(null, {}),

  unaryCall(call: UnaryCall, callback: grpc.sendUnaryData<Fields>) {
    const trailer = echoMetadata(call);
    const status = askedStatus(call.request);
    if (status !== undefined) callback({ ...status, metadata: trailer });
    else callback(null, { payload: payload(call.request.responseSize as number) }, trailer);
  },

  streamingInputCall(call: grpc.ServerReadableStream<Fields, Fields>, callback: grpc.sendUnaryData<Fields>) {
    let aggregatedPayloadSize = 0;
    call.on("data", (request: Fields) => {
      aggregatedPayloadSize += bodyBytes(request);
    });
    call.on("error", () => {});
    call.on("end", () => callback(null, { aggregatedPayloadSize }));
  },

  streamingOutputCall(call: OutputCall) {
    for (const size of askedSizes(call.request)) call.write({ payload: payload(size) });
    call.end();
  },

  fullDuplexCall(call: DuplexCall) {
    const trailer = echoMetadata(call);
    let isOver = false;
    call.on("data", (request: Fields) => {
      if (isOver) return;
      const status = askedStatus(request);
      if (status !== undefined) {
        isOver = true;
        call.emit("error", { ...status, metadata: trailer });
        return;
      }
      for (const size of askedSizes(request)) call.write({ payload: payload(size) });
    });
    call.on("end", () => isOver || call.end(trailer));
  },
});

const credentials =
  values.use_tls === "true"
    ? grpc.ServerCredentials.createSsl(null, [
        { cert_chain: readFileSync(values.tls_cert_file), private_key: readFileSync(values.tls_key_file) },
      ])
    : grpc.ServerCredentials.createInsecure();
server.bindAsync(`127.0.0.1:${values.port}`, credentials, (error, port) => {
  if (error !== null) throw error;
  console.log(port);
});
process.once("SIGTERM", () => server.forceShutdown());

function echoMetadata(call: UnaryCall | DuplexCall): grpc.Metadata {
  const initial = call.metadata.get("x-grpc-test-echo-initial")[0];
  if (initial !== undefined) {
    const header = new grpc.Metadata();
    header.set("x-grpc-test-echo-initial", initial);
    call.sendMetadata(header);
  }
  const trailer = new grpc.Metadata();
  const trailing = call.metadata.get("x-grpc-test-echo-trailing-bin")[0];
  if (trailing !== undefined) trailer.set("x-grpc-test-echo-trailing-bin", trailing);
  return trailer;
}

function askedStatus(request: Fields): { code: number; details: string } | undefined {
  const status = request.responseStatus as { code: number; message: string } | null;
  return status === null || status.code === 0 ? undefined : { code: status.code, details: status.message };
}

function askedSizes(request: Fields): number[] {
  return (request.responseParameters as { size: number }[]).map(({ size }) => size);
}
