/** A server with a call that ends only when it is told so on standard input. Says what it does, line by line. */
import { createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { onStopSignals } from "@tercel/service/lifecycle";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";

const released = new Promise<void>((resolve) => process.stdin.once("data", () => resolve()));
const server = createServer({
  routes: (router) =>
    router.service(EchoService, {
      async unary() {
        console.log("called");
        await released;
        return {};
      },
    }),
});
const { port } = await server.listen({ port: 0 });
onStopSignals({
  echoWindowMs: 0,
  async stop(signal) {
    console.log(`stopping for ${signal}`);
    await Promise.all([server.close({ deadlineMs: 3_600_000 }), channel.close()]);
    console.log("stopped");
    process.exit(0);
  },
});
const channel = createChannel(`127.0.0.1:${port}`);
await createClient(EchoService, channel).unary({});
console.log("answered");
