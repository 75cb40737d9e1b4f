import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { callerKey, createServiceKey, createServiceKeyGuard } from "@tercel/interceptors/service-key";
import { HelloService } from "../hello/gen/hello/v1/hello_pb.ts";

// In production these are mounted secrets. The server's file has a name and a key per line, the client's file only its key.
const folder = mkdtempSync(join(tmpdir(), "tercel-example-"));
const serverFile = join(folder, "keys");
const clientFile = join(folder, "key");
const newKey = () => randomBytes(32).toString("hex");
const [oldKey, nextKey] = [newKey(), newKey()];
writeFileSync(serverFile, `orders ${oldKey}\n`);
writeFileSync(clientFile, oldKey);

const server = createServer({
  routes: (router) =>
    router.service(HelloService, {
      sayHello: (_request, { values }) => ({ greeting: `Hello, ${values.get(callerKey)?.name}!` }),
    }),
  interceptors: [
    createServiceKeyGuard({
      services: [HelloService],
      keys: { file: serverFile },
      methods: { "hello.v1.HelloService/*": { callers: ["orders"] } },
      // Short, so that the example does not take long.
      maxAgeMs: 1,
      cooldownMs: 1,
    }),
  ],
});
const { port } = await server.listen({ port: 0 });
const stranger = createChannel(`127.0.0.1:${port}`, { defaultTimeoutMs: 5000 });
const orders = createChannel(`127.0.0.1:${port}`, {
  defaultTimeoutMs: 5000,
  interceptors: [createServiceKey({ key: { file: clientFile }, maxAgeMs: 1, cooldownMs: 1 })],
});
const greet = async (channel: typeof orders) =>
  console.log((await createClient(HelloService, channel).sayHello({})).greeting);

await greet(stranger).catch((error) => console.log(ConnectError.from(error).message));
await greet(orders);

// The rotation: the server accepts both keys, then clients change to the new one, then the server removes the old one.
writeFileSync(serverFile, `orders ${oldKey}\norders ${nextKey}\n`);
await greet(orders);
writeFileSync(clientFile, nextKey);
await greet(orders);
writeFileSync(serverFile, `orders ${nextKey}\n`);
await greet(orders);

await Promise.all([stranger.close(), orders.close()]);
await server.close();
rmSync(folder, { recursive: true });
