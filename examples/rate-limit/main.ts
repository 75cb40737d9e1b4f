import { ConnectError, createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { readRateLimit, readRetryAfterMs } from "@tercel/grpc/errors";
import { createRateLimit } from "@tercel/interceptors/rate-limit";
import { HelloService } from "../hello/gen/hello/v1/hello_pb.ts";

const server = createServer({
  routes: (router) => router.service(HelloService, { sayHello: () => ({ greeting: "Hello!" }) }),
  interceptors: [createRateLimit({ limit: { requests: 3, per: "minute" } })],
});
const { port } = await server.listen({ port: 0 });
const channel = createChannel(`127.0.0.1:${port}`, { defaultTimeoutMs: 5000 });
const client = createClient(HelloService, channel);

try {
  for (;;) console.log((await client.sayHello({})).greeting);
} catch (error) {
  console.log(ConnectError.from(error).message, readRateLimit(error));
  const retryAfterMs = readRetryAfterMs(error) ?? 0;
  console.log(retryAfterMs > 0 && retryAfterMs <= 60_000 ? "come back within a minute" : "never come back");
}
await channel.close();
await server.close();
