import type { ServiceImpl } from "@connectrpc/connect";
import { createPageTokens, type PageTokenKey, parseFilter, parseOrderBy } from "@tercel/aip";
import type { Cache, Database } from "@tercel/service";
import type { Feed } from "@tercel/service/feed";
import { CreateUserRequestSchema, type User, UserRole, type UserService } from "../../gen/user/v1/user_pb.ts";
import { callerOf, requireAdmin, requireSelfOrAdmin } from "../../shared/caller.ts";
import type { PasswordHash } from "../passwords/password-hash.ts";
import { type Claim, findReplay } from "../store/idempotency-keys.ts";
import { joinName } from "../store/person-name.ts";
import { createUserSearch, type UserCursor, userListFields } from "../store/user-search.ts";
import type { UserChange, UserStore } from "../store/user-store.ts";
import type { PlaceWelcomeOrder } from "../welcome-order.ts";
import { updatedUser } from "./updated-user.ts";
import { emailTaken, refusalError, userNotFound } from "./user-errors.ts";
import { toStoredRole, toUpdateV1, toUserV1 } from "./user-v1-message.ts";

/** The dependencies of the handlers of all packages. */
export interface UserParts {
  readonly db: Database;
  readonly store: UserStore;
  readonly feed: Feed<UserChange>;
  readonly claim: Claim;
  readonly placeWelcomeOrder: PlaceWelcomeOrder;
  /** The secret of page tokens and resume tokens. */
  readonly tokenKeys: readonly PageTokenKey[];
}

export interface UserV1Parts extends UserParts {
  readonly cache: Cache<User>;
  readonly passwords: Pick<PasswordHash, "hash">;
}

/** Resume tokens are valid for all streams of updates, even if a stream selects other users. */
const updatesQuery = { list: "user updates" };

/**
 * Creates the handlers of user.v1.UserService. The validation interceptor has already checked the rules of the proto, and the auth
 * interceptor the token, and the role for ListUsers and DeleteUser.
 */
export function createUserV1Handler(parts: UserV1Parts): ServiceImpl<typeof UserService> {
  const { db, store, cache, claim, passwords, placeWelcomeOrder, tokenKeys } = parts;
  const search = createUserSearch(db);
  const pageTokens = createPageTokens<UserCursor>({ keys: tokenKeys });
  const resumeTokens = createPageTokens<number>({ keys: tokenKeys, noun: "resume token" });

  return {
    async getUser({ id }, context) {
      requireSelfOrAdmin(callerOf(context), id);
      const user = await cache.getOrLoad(id, async () => {
        const stored = await store.get(id);
        return stored && toUserV1(stored);
      });
      if (user === undefined) throw userNotFound(id);
      return { user };
    },

    async listUsers({ pageSize, pageToken, filter, orderBy }) {
      const query = { list: "users", filter, orderBy };
      const { users, next, total } = await search({
        filter: parseFilter(filter, userListFields),
        order: parseOrderBy(orderBy, userListFields),
        after: pageTokens.read(query, pageToken),
        limit: pageSize,
      });
      const nextPageToken = next === undefined ? "" : pageTokens.create(query, next);
      return { users: users.map(toUserV1), nextPageToken, totalCount: total };
    },

    async createUser(request, context) {
      const { email, firstName, lastName, password } = request;
      const role = toStoredRole(request.role) ?? UserRole.USER;
      if (role !== UserRole.USER) requireAdmin(callerOf(context), "role");
      const claimed = claim(CreateUserRequestSchema, request, "", context);
      // Checked before, so that neither a retry nor a refusal costs a hash.
      const replayed = claimed && (await findReplay(db, claimed));
      if (replayed !== undefined) {
        context.responseHeader.set("idempotent-replayed", "true");
        return { user: toUserV1(replayed) };
      }
      if (await store.isEmailTaken(email)) {
        // A call with the same key may have created the user in the meantime.
        const other = claimed && (await findReplay(db, claimed));
        if (other === undefined) throw emailTaken(email);
        return { user: toUserV1(other) };
      }
      const call = { signal: context.signal, timeoutMs: context.timeoutMs() };
      const passwordHash = await passwords.hash(password, call);
      const name = joinName(firstName.trim(), lastName.trim());
      const created = await store.create({ email, name, role, passwordHash }, claimed);
      if (typeof created === "string") throw refusalError(created, { id: "", email });
      if (created.isReplayed) context.responseHeader.set("idempotent-replayed", "true");
      else await placeWelcomeOrder(created.user.id, context.timeoutMs());
      return { user: toUserV1(created.user) };
    },

    async updateUser(request, context) {
      const { id } = request;
      const caller = callerOf(context);
      requireSelfOrAdmin(caller, id);
      const current = await store.get(id);
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
      const user = await store.update(id, changes);
      if (typeof user === "string") throw refusalError(user, { id, email: updated.email });
      return { user: toUserV1(user) };
    },

    async deleteUser({ id }) {
      if (!(await store.delete(id))) throw userNotFound(id);
      return {};
    },

    async *streamUserUpdates({ userIds, resumeToken }, context) {
      const caller = callerOf(context);
      if (userIds.length === 0) requireAdmin(caller, "user_ids is empty, which means all users");
      for (const id of userIds) requireSelfOrAdmin(caller, id);
      const after = resumeTokens.read(updatesQuery, resumeToken);
      for await (const { change, user } of changedUsers(parts, { userIds, after, signal: context.signal })) {
        yield toUpdateV1(change, user, resumeTokens.create(updatesQuery, change.seq));
      }
    },
  };
}

/** Yields the changes of some users, or of all without ids, each with the current user, or undefined for a deleted one. */
export async function* changedUsers(
  { feed, store }: Pick<UserParts, "feed" | "store">,
  {
    userIds,
    ...options
  }: { readonly userIds: readonly string[]; readonly after: number | undefined; readonly signal: AbortSignal },
) {
  const wanted = new Set(userIds);
  for await (const change of feed.follow(options)) {
    if (wanted.size > 0 && !wanted.has(change.userId)) continue;
    if (change.kind === "deleted") {
      yield { change, user: undefined };
      continue;
    }
    const user = await store.get(change.userId);
    // A user that was deleted in the meantime has another change for that.
    if (user !== undefined) yield { change, user };
  }
}
