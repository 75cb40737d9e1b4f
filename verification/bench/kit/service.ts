/**
 * `service.ts METRICS_PORT PORT`: the echo service on `@tercel/service`, as in production: request ids, propagated traces, metrics, a log line for
 * each call, recovery, deadlines, load shedding, tokens with access rules, and validation. Follows the contract of every measured server.
 */
import { create } from "@bufbuild/protobuf";
import { defineService, startService } from "@tercel/service";
import { audience, issuer, scope, secret } from "../interceptors/caller.ts";
import { guardedEcho } from "../interceptors/guarded-echo.ts";
import { announce } from "../peers/serve.ts";
import { EchoResponseSchema } from "../peers/tercel/gen/echo_pb.ts";

const [metricsPort = "", port = ""] = process.argv.slice(2);
const echo = guardedEcho();
const service = await startService(
  defineService({
    access: { [`${echo.typeName}/*`]: { scopes: [scope] } },
    routes(router) {
      router.service(echo, {
        unary: (request) => create(EchoResponseSchema, { message: request.message, payload: request.payload }),
        async *serverStream(request) {
          const response = create(EchoResponseSchema, { payload: new Uint8Array(request.payloadSize) });
          for (let sent = 0; sent < request.count; sent++) yield response;
        },
      });
    },
  }),
  {
    file: false,
    overlays: false,
    variables: { TERCEL_ENV: "production" },
    config: {
      service: { name: "bench", host: "127.0.0.1", port: Number(port), insecure: true, propagation: "0" },
      monitoring: { providers: { prometheus: { endpoint: `127.0.0.1:${metricsPort}` } } },
      security: { jwt: { issuer, audience, secret: new TextDecoder().decode(secret), key_id: "bench" } },
    },
  },
);

announce((service.address as { readonly port: number }).port, () => service.stop());
