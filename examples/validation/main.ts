import { createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { readFieldViolations } from "@tercel/grpc/errors";
import { createValidation } from "@tercel/interceptors/validation";
import { UserService } from "./gen/users/v1/users_pb.ts";

const server = createServer({
  routes: (router) => router.service(UserService, { createUser: ({ email }) => ({ name: `users/${email}` }) }),
  interceptors: [createValidation({ services: [UserService] })],
});
const { port } = await server.listen({ port: 0 });
const channel = createChannel(`127.0.0.1:${port}`, { defaultTimeoutMs: 5000 });
const users = createClient(UserService, channel);

const { name } = await users.createUser({ email: "ada@example.com", name: "Ada", labels: ["first"] });
console.log(name);
try {
  await users.createUser({ email: "ada", labels: ["first", "2nd"] });
} catch (error) {
  for (const { field, reason } of readFieldViolations(error)) console.log(field, reason);
}
await channel.close();
await server.close();
