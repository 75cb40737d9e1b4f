// A client and a server of grpc-js, and a Tercel proxy between them that does not know their service.

import { join } from "node:path";
import {
  type Client,
  credentials,
  loadPackageDefinition,
  Metadata,
  type requestCallback,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceClientConstructor,
  type ServiceError,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { createChannel, createServer } from "@tercel/grpc";
import { forward } from "./forward.ts";

interface HelloClient extends Client {
  sayHello(request: { name: string }, metadata: Metadata, callback: requestCallback<{ greeting: string }>): void;
  countdown(request: { from: number }): AsyncIterable<{ number: number }>;
}

const proto = join(import.meta.dirname, "../hello/proto/hello/v1/hello.proto");
const loaded = loadPackageDefinition(loadSync(proto)) as unknown as {
  hello: { v1: { HelloService: ServiceClientConstructor } };
};
const { HelloService } = loaded.hello.v1;

// The server, with grpc-js.
const backend = new Server();
backend.addService(HelloService.service, {
  sayHello(call: ServerUnaryCall<{ name: string }, unknown>, callback: sendUnaryData<{ greeting: string }>) {
    const { name } = call.request;
    if (name === "") {
      const metadata = new Metadata();
      metadata.set("x-field", "name");
      callback({ code: 3, details: "name is empty", metadata });
      return;
    }
    callback(null, { greeting: `Hello, ${name}, in ${call.metadata.get("accept-language")[0]}!` });
  },
  countdown(call: ServerWritableStream<{ from: number }, { number: number }>) {
    for (let number = call.request.from; number > 0; number--) call.write({ number });
    call.end();
  },
});
const backendPort = await new Promise<number>((resolve, reject) => {
  backend.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
    error === null ? resolve(port) : reject(error),
  );
});

// The proxy.
const channel = createChannel(`127.0.0.1:${backendPort}`);
const proxy = createServer({ routes: () => {}, rawMethods: forward(channel) });
const { port } = await proxy.listen({ port: 0 });

// The client, with grpc-js.
const client = new HelloService(`127.0.0.1:${port}`, credentials.createInsecure()) as unknown as HelloClient;
const sayHello = (name: string): Promise<string> =>
  new Promise((resolve) => {
    const metadata = new Metadata();
    metadata.set("accept-language", "en");
    client.sayHello({ name }, metadata, (error: ServiceError | null, response) => {
      if (error === null) resolve(response?.greeting ?? "");
      else resolve(`status ${error.code}: ${error.details}, ${error.metadata.get("x-field")[0]}`);
    });
  });

console.log(await sayHello("Ada"));
console.log(await sayHello(""));
const numbers: number[] = [];
for await (const { number } of client.countdown({ from: 3 })) numbers.push(number);
console.log(numbers.join(" "));

client.close();
await proxy.close();
await channel.close();
backend.forceShutdown();
