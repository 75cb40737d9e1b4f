import { setImmediate } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { UserSchema, UserService } from "../../gen/user/user_pb.ts";
import { requiredId, requiredText } from "../../shared/field-rules.ts";
import { splitName } from "../store/person-name.ts";
import type { StoredUser } from "../store/user-row.ts";
import type { Refusal, UserChangeset, UserStore } from "../store/user-store.ts";
import type { PlaceWelcomeOrder } from "../welcome-order.ts";

const maxNameChars = 200;

/** RFC 5321 §4.5.3.1: 64 for the local part, 255 for the domain, and the @. */
const maxEmailChars = 320;

const defaultPageSize = 10;
/** The maximum size of a page, so that a small request cannot cause a response of any size. */
const maxPageSize = 100;

/** The number of users that StreamUsers holds in memory. */
const streamBatchSize = 100;

/** Creates the handlers of user.UserService over the store. */
export function createUserHandler(
  store: UserStore,
  placeWelcomeOrder: PlaceWelcomeOrder,
): ServiceImpl<typeof UserService> {
  return {
    async getUser(request) {
      const user = await store.get(requiredId("user_id", request.userId));
      if (user === undefined) throw refused("not-found");
      return { user: toMessage(user) };
    },

    async createUser(request, context) {
      const name = requiredText("name", request.name, maxNameChars);
      const email = requiredText("email", request.email, maxEmailChars);
      const created = await store.create({ name: splitName(name), email });
      if (typeof created === "string") throw refused(created);
      await placeWelcomeOrder(created.user.id, context.timeoutMs());
      return { user: toMessage(created.user) };
    },

    async updateUser(request) {
      const id = requiredId("user_id", request.userId);
      // An empty field is not set. A blank one is an error.
      const changes: UserChangeset = {
        ...(request.name !== "" && { name: splitName(requiredText("name", request.name, maxNameChars)) }),
        ...(request.email !== "" && { email: requiredText("email", request.email, maxEmailChars) }),
      };
      const user = await store.update(id, changes);
      if (typeof user === "string") throw refused(user);
      return { user: toMessage(user) };
    },

    async deleteUser(request) {
      if (!(await store.delete(requiredId("user_id", request.userId)))) throw refused("not-found");
      return { success: true };
    },

    async listUsers(request) {
      const { page, pageSize } = pageOf(request.page, request.pageSize);
      const { users, total } = await store.list(request.filter, page, pageSize);
      return { users: users.map(toMessage), total, page, pageSize };
    },

    async *streamUsers(request, context) {
      for await (const users of store.batches(request.filter, streamBatchSize)) {
        for (const user of users) {
          context.signal.throwIfAborted();
          yield toMessage(user);
        }
        // With a fast reader, this loop would otherwise run in microtasks only: other calls would
        // wait, and the cancellation of this call would not be noticed.
        await setImmediate();
      }
    },
  };
}

/** Returns the requested page. Missing and negative values select the defaults, large ones the maximum. */
export function pageOf(page: number, pageSize: number): { page: number; pageSize: number } {
  return {
    page: page <= 0 ? 1 : page,
    pageSize: pageSize <= 0 ? defaultPageSize : Math.min(pageSize, maxPageSize),
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

function refused(refusal: Refusal): ConnectError {
  return refusal === "not-found"
    ? new ConnectError("user_id: no user has this id", Code.NotFound)
    : new ConnectError("email: another user has this address", Code.AlreadyExists);
}
