import { applyFieldMask } from "@tercel/aip";
import { createGateway } from "@tercel/gateway";
import { create, createServer } from "@tercel/grpc";
import { invalidArgument, notFound } from "@tercel/grpc/errors";
import { type User, UserSchema, UserService } from "./gen/api/user/v1/user_pb.ts";

const users = new Map<string, User>();

function find(id: string): User {
  const user = users.get(id);
  if (user === undefined) throw notFound({ resource: `users/${id}` });
  return user;
}

const server = createServer({
  routes: (router) =>
    router.service(UserService, {
      getUser: ({ userId }) => find(userId),
      listUsers: ({ pageSize }) => ({ users: [...users.values()].slice(0, pageSize || 50) }),
      createUser({ user = create(UserSchema) }) {
        if (!user.email.includes("@"))
          throw invalidArgument({ field: "user.email", description: "has to contain an @" });
        user.userId = user.email.split("@", 1)[0] as string;
        users.set(user.userId, user);
        return user;
      },
      updateUser({ user = create(UserSchema), updateMask }) {
        applyFieldMask(UserSchema, find(user.userId), user, updateMask, { immutable: ["user_id"] });
        return find(user.userId);
      },
      deleteUser({ userId }) {
        find(userId);
        users.delete(userId);
        return {};
      },
      async *streamUserEvents({ resumeToken }) {
        const after = Number(resumeToken);
        const all = [...users.values()];
        for (let at = after; at < all.length; at++) yield { resumeToken: String(at + 1), user: all[at] as User };
      },
    }),
  gateway: createGateway({
    methods: [{ of: "api.user.v1.UserService/CreateUser", successStatus: 201 }],
    cors: { origins: ["https://app.example.com"] },
    openapi: { title: "Users", docs: "/docs" },
  }),
});

const { port } = await server.listen({ port: Number(process.env.PORT ?? 8080) });
console.log(`http://127.0.0.1:${port}/docs`);
process.on("SIGTERM", () => server.close({ deadlineMs: 1000 }));
