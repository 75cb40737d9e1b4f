// Instances of a service that count the calls of a client together, in a real Redis.
import { it } from "node:test";
import { Code } from "@connectrpc/connect";
import { createChannel, createClient } from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import { defineService, startService } from "@tercel/service";
import { createRedisServer, withoutRedis } from "@tercel/test-support/servers";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";
import { onEnd } from "./on-end.ts";

it("a limit holds for all instances where the default cache is a Redis, though the code needs none", {
  skip: withoutRedis,
  timeout: 60_000,
}, async (t) => {
  const redis = await createRedisServer();
  onEnd(t, () => redis.dispose());
  await redis.start();
  const echo = defineService({
    routes(router) {
      router.service(EchoService, { unary: ({ text }) => ({ text }) });
    },
  });
  const open = async () => {
    const service = await startService(echo, {
      file: false,
      overlays: false,
      variables: {},
      config: {
        service: { name: "echo", port: 0 },
        logging: { providers: { console: { level: "error" } } },
        cache: { providers: { redis: { url: `redis://127.0.0.1:${redis.port}` } } },
        rate_limit: { calls: 3, per: "1m" },
      },
    });
    onEnd(t, () => service.stop());
    const { port } = service.address as { readonly port: number };
    const channel = createChannel(`127.0.0.1:${port}`, { defaultTimeoutMs: 20_000 });
    onEnd(t, () => channel.close());
    return createClient(EchoService, channel);
  };
  const [one, other] = [await open(), await open()];
  await one.unary({});
  await other.unary({});
  await one.unary({});
  for (const instance of [one, other]) {
    await assertStatus(instance.unary({}), Code.ResourceExhausted, "rate limit exceeded: 3 requests per minute");
  }
});
