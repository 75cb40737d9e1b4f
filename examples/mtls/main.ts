import { ConnectError, createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { callerKey, createMtls } from "@tercel/interceptors/mtls";
import { HelloService } from "../hello/gen/hello/v1/hello_pb.ts";
import { makeCertificates } from "./certificates.ts";

const certificates = makeCertificates({
  server: "DNS:localhost",
  orders: "URI:spiffe://example.org/shop/orders",
  payments: "URI:spiffe://example.org/shop/payments",
});

const server = createServer({
  routes: (router) =>
    router.service(HelloService, {
      sayHello: (_request, { values }) => ({ greeting: `Hello, ${values.get(callerKey)?.name}!` }),
    }),
  // A client without a certificate of this authority cannot connect.
  tls: { ...certificates.server, requestCert: true },
  interceptors: [
    createMtls({
      services: [HelloService],
      methods: { "hello.v1.HelloService/*": { callers: ["spiffe://example.org/shop/orders"] } },
    }),
  ],
});
const { port } = await server.listen({ port: 0 });

for (const tls of [certificates.orders, certificates.payments]) {
  const channel = createChannel(`localhost:${port}`, { tls, defaultTimeoutMs: 5000 });
  try {
    console.log((await createClient(HelloService, channel).sayHello({})).greeting);
  } catch (error) {
    console.log(ConnectError.from(error).message);
  }
  await channel.close();
}
await server.close();
