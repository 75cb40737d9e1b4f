/**
 * `<ours | grpc-js> <target> <calls> <concurrency> <timeout in ms>`: makes unary calls with a short deadline over one channel and
 * prints how often each status code ended one.
 */
import { join } from "node:path";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { createChannel } from "@tercel/grpc";
import { EchoService } from "../gen/tercel/grpc/test/v1/echo_pb.ts";

interface Caller {
  /** Resolves to the name of the status code. */
  call(): Promise<string>;
  close(): void | Promise<void>;
}

const [kind, target = "", calls, concurrency, timeoutMs] = process.argv.slice(2);

function createOurs(): Caller {
  const channel = createChannel(target);
  const client = createClient(EchoService, channel);
  return {
    call: () =>
      client.unary({}, { timeoutMs: Number(timeoutMs) }).then(
        () => "OK",
        (error) => Code[ConnectError.from(error).code] as string,
      ),
    close: () => channel.close(),
  };
}

interface GrpcJsEcho extends grpc.Client {
  unary(request: object, options: grpc.CallOptions, done: (error: grpc.ServiceError | null) => void): void;
}

function createGrpcJs(): Caller {
  const definition = loadSync(join(import.meta.dirname, "../proto/tercel/grpc/test/v1/echo.proto"));
  const loaded = grpc.loadPackageDefinition(definition) as unknown as {
    tercel: { grpc: { test: { v1: { EchoService: new (...given: unknown[]) => GrpcJsEcho } } } };
  };
  const client = new loaded.tercel.grpc.test.v1.EchoService(target, grpc.credentials.createInsecure());
  return {
    call: () =>
      new Promise((resolve) => {
        client.unary({}, { deadline: Date.now() + Number(timeoutMs) }, (error) => {
          const words = (grpc.status[error?.code ?? 0] as string).toLowerCase().split("_");
          resolve(words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join(""));
        });
      }),
    close: () => client.close(),
  };
}

const caller = kind === "ours" ? createOurs() : createGrpcJs();
const codes: Record<string, number> = {};
let left = Number(calls);
await Promise.all(
  Array.from({ length: Number(concurrency) }, async () => {
    while (left-- > 0) {
      const code = await caller.call();
      codes[code] = (codes[code] ?? 0) + 1;
    }
  }),
);
console.log(JSON.stringify({ codes }));
await caller.close();
