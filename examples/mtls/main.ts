import { ConnectError, createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { callerKey, createMtls } from "@tercel/interceptors/mtls";
import { makeCertificates } from "./certificates.ts";
import { GreetingService } from "./gen/greeting/v1/greeting_pb.ts";

const certificates = makeCertificates({
  server: "DNS:localhost,IP:127.0.0.1",
  orders: "URI:spiffe://example.org/shop/orders",
  payments: "URI:spiffe://example.org/shop/payments",
});

const server = createServer({
  routes: (router) =>
    router.service(GreetingService, {
      greet: (_request, { values }) => ({ greeting: `Hello, ${values.get(callerKey)?.name}!` }),
    }),
  // Whoever has no certificate of this authority does not even get a connection.
  tls: { ...certificates.server, requestCert: true },
  interceptors: [
    createMtls({
      services: [GreetingService],
      rules: { "greeting.v1.GreetingService/Greet": { callers: ["spiffe://example.org/shop/orders"] } },
    }),
  ],
});
const { port } = await server.listen({ port: 0 });

for (const tls of [certificates.orders, certificates.payments]) {
  const channel = createChannel(`localhost:${port}`, { tls, defaultTimeoutMs: 5000 });
  try {
    console.log((await createClient(GreetingService, channel).greet({})).greeting);
  } catch (error) {
    console.log(ConnectError.from(error).message);
  }
  await channel.close();
}
await server.close();
