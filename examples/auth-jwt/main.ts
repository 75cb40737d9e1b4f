import { createHmac, randomBytes } from "node:crypto";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { claimsKey, createAuth, createBearerToken } from "@tercel/interceptors/auth";
import { GreetingService } from "./gen/greeting/v1/greeting_pb.ts";

const secret = randomBytes(32);
const issuer = "https://login.example";

const server = createServer({
  routes: (router) =>
    router.service(GreetingService, {
      greet: (_request, { values }) => ({ greeting: `Hello, ${values.get(claimsKey)?.sub}!` }),
      forget: () => ({}),
    }),
  interceptors: [
    createAuth({
      services: [GreetingService],
      keys: [{ id: "1", algorithm: "HS256", secret }],
      issuer,
      audience: "greeting",
      methods: {
        "greeting.v1.GreetingService/Greet": "authenticated",
        "greeting.v1.GreetingService/Forget": { roles: ["admin"] },
      },
    }),
  ],
});
const { port } = await server.listen({ port: 0 });

const target = `127.0.0.1:${port}`;
const stranger = createChannel(target, { defaultTimeoutMs: 5000 });
const known = createChannel(target, {
  defaultTimeoutMs: 5000,
  // Cleartext, because the calls stay on this machine.
  interceptors: [createBearerToken({ getToken: signToken, allowCleartext: true })],
});

await createClient(GreetingService, stranger).greet({}).catch(print);
console.log((await createClient(GreetingService, known).greet({})).greeting);
await createClient(GreetingService, known).forget({}).catch(print);
await Promise.all([stranger.close(), known.close()]);
await server.close();

function print(error: unknown): void {
  console.log(ConnectError.from(error).message);
}

/** Signs a token. In production the issuer does this. */
function signToken(): string {
  const claims = {
    iss: issuer,
    aud: "greeting",
    sub: "Ada",
    roles: ["user"],
    exp: Math.floor(Date.now() / 1000) + 300,
  };
  const parts = [{ alg: "HS256", kid: "1" }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  const signature = createHmac("sha256", secret).update(parts.join(".")).digest("base64url");
  return [...parts, signature].join(".");
}
