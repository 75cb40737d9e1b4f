import { setImmediate } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { UserSchema, UserService } from "../gen/user/user_pb.ts";
import { requiredId, requiredText } from "../service/field-rules.ts";
import { pageOf } from "./page-rules.ts";
import { splitName } from "./person-name.ts";
import type { StoredUser } from "./user-row.ts";
import type { UserChangeset, UserStore } from "./user-store.ts";
import type { PlaceWelcomeOrder } from "./welcome-order.ts";

const maxNameChars = 200;

/** RFC 5321 section 4.5.3.1: 64 for the local part, 255 for the domain, and the sign between them. */
const maxEmailChars = 320;

/** How many users StreamUsers holds in memory. */
const streamBatchSize = 100;

/** Creates the handlers of user.UserService over the store. */
export function createUserHandler(
  store: UserStore,
  placeWelcomeOrder: PlaceWelcomeOrder,
): ServiceImpl<typeof UserService> {
  return {
    getUser(request) {
      const user = store.get(requiredId("user_id", request.userId));
      if (user === undefined) throw userNotFound();
      return { user: toMessage(user) };
    },

    async createUser(request, context) {
      const name = requiredText("name", request.name, maxNameChars);
      const email = requiredText("email", request.email, maxEmailChars);
      const user = store.create({ name: splitName(name), email });
      if (user === "email-taken") throw emailTaken();
      await placeWelcomeOrder(user.id, context.timeoutMs());
      return { user: toMessage(user) };
    },

    updateUser(request) {
      const id = requiredId("user_id", request.userId);
      // An empty field is one that the caller left out; a blank one is a mistake.
      const changes: UserChangeset = {
        ...(request.name !== "" && { name: splitName(requiredText("name", request.name, maxNameChars)) }),
        ...(request.email !== "" && { email: requiredText("email", request.email, maxEmailChars) }),
      };
      const user = store.update(id, changes);
      if (user === "not-found") throw userNotFound();
      if (user === "email-taken") throw emailTaken();
      return { user: toMessage(user) };
    },

    deleteUser(request) {
      if (!store.delete(requiredId("user_id", request.userId))) throw userNotFound();
      return { success: true };
    },

    listUsers(request) {
      const { page, pageSize } = pageOf(request.page, request.pageSize);
      const { users, total } = store.list(request.filter, page, pageSize);
      return { users: users.map(toMessage), total, page, pageSize };
    },

    async *streamUsers(request, context) {
      for (const users of store.batches(request.filter, streamBatchSize)) {
        for (const user of users) {
          context.signal.throwIfAborted();
          yield toMessage(user);
        }
        // A reader as fast as this loop would otherwise keep the event loop busy with promises alone: other calls would
        // wait, and the news that this one was cancelled would not come in.
        await setImmediate();
      }
    },
  };
}

function toMessage(user: StoredUser): MessageInitShape<typeof UserSchema> {
  return {
    id: user.id,
    name: user.name,
    email: user.email,
    createdAt: unixSeconds(user.createdAtMs),
    updatedAt: unixSeconds(user.updatedAtMs),
  };
}

function unixSeconds(ms: number): bigint {
  return BigInt(Math.floor(ms / 1000));
}

function userNotFound(): ConnectError {
  return new ConnectError("user_id: no user has this id", Code.NotFound);
}

function emailTaken(): ConnectError {
  return new ConnectError("email: another user has this address", Code.AlreadyExists);
}
