import { createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

// The health service, because it is included. Its first call never returns.
const { service } = createHealth();
let calls = 0;
const server = createServer({
  routes(router) {
    router.service(service, {
      async check(_request, context) {
        calls++;
        if (calls > 1) return { status: 1 };
        await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
        console.log("the slow attempt was cancelled");
        return {};
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
        // Only for methods that may run several times.
        name: [{ service: service.typeName, method: "Check" }],
        hedgingPolicy: { maxAttempts: 2, hedgingDelay: "0.05s", nonFatalStatusCodes: ["UNAVAILABLE"] },
      },
    ],
  },
});

const { status } = await createClient(service, channel).check({});
console.log(`status ${status} after ${calls} attempts`);
await channel.close();
await server.close();
