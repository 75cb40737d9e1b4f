import { setTimeout as pause } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { alreadyExists, type FieldViolation, invalidArgument, notFound } from "@tercel/grpc/errors";
import type { CreateUserRequest, UserSchema, UserService } from "./gen/users/v1/users_pb.ts";

type User = MessageInitShape<typeof UserSchema>;

/** The handlers of a user service, with an array instead of a database. */
export function createUserService(users: User[] = []): ServiceImpl<typeof UserService> {
  return {
    getUser({ id }) {
      const found = users.find((user) => user.id === id);
      if (found === undefined) throw notFound({ resource: `users/${id}` });
      return found;
    },
    createUser({ name, mail }, context) {
      const violations = violationsOf({ name, mail });
      if (violations.length > 0) throw invalidArgument({ violations });
      if (users.some((user) => user.mail === mail)) throw alreadyExists({ resource: `users with mail ${mail}` });
      const user = { id: String(users.length + 1), name, mail };
      users.push(user);
      context.responseHeader.set("location", `users/${user.id}`);
      return user;
    },
    async *watchUsers(_request, { signal }) {
      for (let at = 0; !signal.aborted; at++) {
        while (at >= users.length) await pause(10, undefined, { signal });
        yield users[at] as User;
      }
    },
  };
}

function violationsOf({ name, mail }: Pick<CreateUserRequest, "name" | "mail">): FieldViolation[] {
  const violations: FieldViolation[] = [];
  if (name === "") violations.push({ field: "name", description: "has to be given" });
  if (!mail.includes("@")) violations.push({ field: "mail", description: "has to be an address" });
  return violations;
}
