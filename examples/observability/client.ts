import { ConnectError, createClient } from "@connectrpc/connect";
import { createChannel } from "@tercel/grpc";
import { createClientStack } from "@tercel/interceptors/stack";
import { HelloService } from "../hello/gen/hello/v1/hello_pb.ts";
import { printSpans } from "./print-spans.ts";

const tracing = printSpans();
// Request ids, tracing and deadlines are on by default.
const { interceptors } = await createClientStack();
const channel = createChannel(process.argv[2] ?? "127.0.0.1:50051", { defaultTimeoutMs: 5000, interceptors });
const hello = createClient(HelloService, channel);

for (const name of ["Ada", "", "bug"]) {
  try {
    console.log(
      (await hello.sayHello({ name }, { headers: { "x-request-id": `hello-${name || "absent"}` } })).greeting,
    );
  } catch (error) {
    console.log(ConnectError.from(error).message);
  }
}
for await (const { number } of hello.countdown({ from: 3 })) console.log(number);
await channel.close();
await tracing.shutdown();
