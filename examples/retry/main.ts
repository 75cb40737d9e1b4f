import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createChannel, createServer, explainError } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

// The health service, because it is included. It fails twice out of three times.
const { service } = createHealth();
let calls = 0;
const server = createServer({
  routes(router) {
    router.service(service, {
      check(_request, context) {
        calls++;
        console.log(
          `call ${calls}, attempts before it: ${context.requestHeader.get("grpc-previous-rpc-attempts") ?? 0}`,
        );
        if (calls % 3 !== 0) throw new ConnectError("warming up", Code.Unavailable);
        return { status: 1 };
      },
    });
  },
});
const { port } = await server.listen({ port: 0 });

const channel = createChannel(`127.0.0.1:${port}`, {
  defaultTimeoutMs: 5000,
  serviceConfig: {
    methodConfig: [
      {
        name: [{ service: service.typeName, method: "Check" }],
        retryPolicy: {
          maxAttempts: 3,
          initialBackoff: "0.01s",
          maxBackoff: "0.1s",
          backoffMultiplier: 2,
          retryableStatusCodes: ["UNAVAILABLE"],
        },
      },
    ],
    // When half of the tokens are used, calls are not retried any more.
    retryThrottling: { maxTokens: 6, tokenRatio: 0.1 },
  },
});
const health = createClient(service, channel);

console.log("status", (await health.check({})).status);
try {
  await health.check({});
} catch (error) {
  console.log(`${error}; not repeated: ${explainError(error)?.notRepeated}`);
}
await channel.close();
await server.close();
