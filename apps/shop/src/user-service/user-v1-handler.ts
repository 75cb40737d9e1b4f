import type { ConnectError, ServiceImpl } from "@connectrpc/connect";
import { createPageTokens, type PageTokenKey, parseFilter, parseOrderBy } from "@tercel/aip";
import { alreadyExists, notFound } from "@tercel/grpc/errors";
import { UserRole, type UserService } from "../gen/user/v1/user_pb.ts";
import { callerOf, requireAdmin, requireSelfOrAdmin } from "./caller.ts";
import { errorDomain } from "./error-domain.ts";
import type { PasswordHash } from "./password-hash.ts";
import { joinName } from "./person-name.ts";
import { updatedUser } from "./updated-user.ts";
import type { UserCache } from "./user-cache.ts";
import { type createUserSearch, type UserCursor, userListFields } from "./user-search.ts";
import type { UserStore } from "./user-store.ts";
import type { UserUpdates } from "./user-updates.ts";
import { toStoredRole, toUpdateV1, toUserV1 } from "./user-v1-message.ts";
import type { PlaceWelcomeOrder } from "./welcome-order.ts";

/** What the handlers of user.v1 work with. */
export interface UserV1Parts {
  readonly store: UserStore;
  readonly cache: UserCache;
  readonly search: ReturnType<typeof createUserSearch>;
  readonly updates: UserUpdates;
  readonly passwords: Pick<PasswordHash, "hash">;
  readonly placeWelcomeOrder: PlaceWelcomeOrder;
  /** What page tokens and resume tokens are made with. */
  readonly tokenKeys: readonly PageTokenKey[];
}

/** Resume tokens fit every stream of updates: whose changes are read may differ from stream to stream. */
const updatesQuery = { list: "user updates" };

/**
 * Creates the handlers of user.v1.UserService. What the proto says of fields is checked before, by the validation interceptor, and
 * that there is a token, and which role ListUsers and DeleteUser need, by the auth interceptor.
 */
export function createUserV1Handler(parts: UserV1Parts): ServiceImpl<typeof UserService> {
  const { store, cache, search, updates, passwords, placeWelcomeOrder, tokenKeys } = parts;
  const pageTokens = createPageTokens<UserCursor>({ keys: tokenKeys });
  const resumeTokens = createPageTokens<number>({ keys: tokenKeys, noun: "resume token" });

  return {
    async getUser({ id }, context) {
      requireSelfOrAdmin(callerOf(context), id);
      const user = await cache.get(id);
      if (user === undefined) throw userNotFound(id);
      return { user: toUserV1(user) };
    },

    listUsers({ pageSize, pageToken, filter, orderBy }) {
      const query = { list: "users", filter, orderBy };
      const { users, next, total } = search({
        filter: parseFilter(filter, userListFields),
        order: parseOrderBy(orderBy, userListFields),
        after: pageTokens.read(query, pageToken),
        limit: pageSize,
      });
      const nextPageToken = next === undefined ? "" : pageTokens.create(query, next);
      return { users: users.map(toUserV1), nextPageToken, totalCount: total };
    },

    async createUser({ email, firstName, lastName, password, role: wanted }, context) {
      const role = toStoredRole(wanted) ?? UserRole.USER;
      if (role !== UserRole.USER) requireAdmin(callerOf(context), "role");
      // A repetition should not cost a hash.
      if (store.isEmailTaken(email)) throw emailTaken(email);
      const call = { signal: context.signal, timeoutMs: context.timeoutMs() };
      const passwordHash = await passwords.hash(password, call);
      const user = store.create({ email, name: joinName(firstName.trim(), lastName.trim()), role, passwordHash });
      if (user === "email-taken") throw emailTaken(email);
      await placeWelcomeOrder(user.id, context.timeoutMs());
      return { user: toUserV1(user) };
    },

    updateUser(request, context) {
      const { id } = request;
      const caller = callerOf(context);
      requireSelfOrAdmin(caller, id);
      const current = store.get(id);
      if (current === undefined) throw userNotFound(id);
      const updated = updatedUser(toUserV1(current), request);
      if (updated.role !== current.role) requireAdmin(caller, "role");
      const changes = {
        ...((updated.firstName !== current.firstName || updated.lastName !== current.lastName) && {
          name: joinName(updated.firstName, updated.lastName),
        }),
        ...(updated.email !== current.email && { email: updated.email }),
        ...(updated.role !== current.role && { role: toStoredRole(updated.role) ?? current.role }),
      };
      const user = store.update(id, changes);
      if (user === "not-found") throw userNotFound(id);
      if (user === "email-taken") throw emailTaken(updated.email);
      return { user: toUserV1(user) };
    },

    deleteUser({ id }) {
      if (!store.delete(id)) throw userNotFound(id);
      return {};
    },

    async *streamUserUpdates({ userIds, resumeToken }, context) {
      const caller = callerOf(context);
      if (userIds.length === 0) requireAdmin(caller, "user_ids is empty, which means all users");
      for (const id of userIds) requireSelfOrAdmin(caller, id);
      const after = resumeTokens.read(updatesQuery, resumeToken);
      for await (const { change, user } of updates.follow({ userIds, after, signal: context.signal })) {
        yield toUpdateV1(change, user, resumeTokens.create(updatesQuery, change.seq));
      }
    },
  };
}

function userNotFound(id: string): ConnectError {
  return notFound({ resource: { type: "user", name: `users/${id}` }, reason: "USER_NOT_FOUND", domain: errorDomain });
}

function emailTaken(email: string): ConnectError {
  return alreadyExists({
    message: "email: another user has this address",
    resource: { type: "user", name: email },
    reason: "EMAIL_TAKEN",
    domain: errorDomain,
    metadata: { field: "email" },
  });
}
