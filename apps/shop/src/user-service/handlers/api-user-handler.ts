import { create, type DescEnum, type JsonObject, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { applyFieldMask, createPageTokens, parseFilter, parseOrderBy } from "@tercel/aip";
import { type FieldViolation, invalidArgument, resourceExhausted } from "@tercel/grpc/errors";
import { createMessageCheck } from "@tercel/interceptors/validation";
import {
  type BatchFailure,
  type CreateUserRequest,
  CreateUserRequestSchema,
  DeleteUserRequestSchema,
  GetUserRequestSchema,
  ListUsersRequestSchema,
  type SyncUserRequest,
  UpdateUserRequestSchema,
  type User,
  UserRole,
  UserRoleSchema,
  UserSchema,
  type UserService,
  UserStatus,
  UserStatusSchema,
} from "../../gen/api/user/v1/user_pb.ts";
import { callerOf, requireAdmin, requireSelfOrAdmin } from "../../shared/caller.ts";
import { untilStopping } from "../../shared/until-stopping.ts";
import type { StoredUser } from "../store/user-row.ts";
import { apiUserListFields, createUserSearch, type UserCursor } from "../store/user-search.ts";
import type { UserChangeset } from "../store/user-store.ts";
import { fromApiUser, toApiUser, toUserEvent } from "./api-user-message.ts";
import { refusalError, userNotFound } from "./user-errors.ts";
import { changedUsers, type UserParts } from "./user-v1-handler.ts";

const defaultPageSize = 50;
/** The maximum size of a batch. Clients split larger ones. */
const maxBatch = 1_000;
const eventsQuery = { list: "user events" };

/** Codes that fail an item of a stream, but not the other items. */
const itemCodes: readonly Code[] = [
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.FailedPrecondition,
  Code.PermissionDenied,
];

/**
 * Creates the handlers of api.user.v1.UserService. They check the rules of the proto themselves, because the rules would refuse requests that the
 * service accepts: a user without an id, which is generated; an update without some fields; a page of the default size; the valid items of a batch.
 *
 * @param stopping Aborts when the service stops.
 */
export function createApiUserHandler(parts: UserParts, stopping: AbortSignal): ServiceImpl<typeof UserService> {
  const { db, store, claim, placeWelcomeOrder, tokenKeys } = parts;
  const search = createUserSearch(db);
  const pageTokens = createPageTokens<UserCursor>({ keys: tokenKeys });
  const resumeTokens = createPageTokens<number>({ keys: tokenKeys, noun: "resume token" });
  const violationsOf = createMessageCheck();

  async function createOne(request: CreateUserRequest, context: HandlerContext): Promise<StoredUser> {
    const isIdFree = request.user?.userId === "";
    refuse(violationsOf(CreateUserRequestSchema, request), ({ field }) => !(isIdFree && field === "user.user_id"));
    const user = request.user ?? create(UserSchema);
    const wanted = fromApiUser(user);
    requireAdminFor(user, context);
    const claimed = claim(CreateUserRequestSchema, request, request.idempotencyKey, context);
    const created = await store.create({ ...wanted, ...(!isIdFree && { id: user.userId }) }, claimed);
    if (typeof created === "string") throw refusalError(created, { id: user.userId, email: user.email });
    if (created.isReplayed) context.responseHeader.set("idempotent-replayed", "true");
    return created.user;
  }

  async function updateOne(current: StoredUser, updated: User, context: HandlerContext): Promise<StoredUser> {
    const wanted = fromApiUser(updated, current);
    const changes: UserChangeset = {
      ...(wanted.name.full !== current.name && { name: wanted.name }),
      ...(wanted.email !== current.email && { email: wanted.email }),
      ...(wanted.role !== current.role && { role: wanted.role }),
      ...(wanted.status !== current.status && { status: wanted.status }),
      ...(wanted.metadata !== current.metadata && { metadata: wanted.metadata }),
      ...(wanted.profile !== current.profile && { profile: wanted.profile }),
    };
    if (changes.role !== undefined) requireAdmin(callerOf(context), "role");
    if (changes.status !== undefined) requireAdmin(callerOf(context), "status");
    const user = await store.update(current.id, changes);
    if (typeof user === "string") throw refusalError(user, { id: current.id, email: wanted.email });
    return user;
  }

  async function upsert(user: User, context: HandlerContext): Promise<StoredUser> {
    const request = create(CreateUserRequestSchema, { user });
    const current = user.userId === "" ? undefined : await store.get(user.userId);
    if (current === undefined) return createOne(request, context);
    refuse(violationsOf(CreateUserRequestSchema, request));
    return updateOne(current, user, context);
  }

  async function sync({ operation }: SyncUserRequest, context: HandlerContext) {
    switch (operation.case) {
      case "upsert":
        return { case: "user", value: toApiUser(await upsert(operation.value, context)) } as const;
      case "deleteUserId":
        await store.delete(operation.value);
        return { case: "deletedUserId", value: operation.value } as const;
      default:
        throw invalidArgument({ field: "operation", description: "must be upsert or delete_user_id" });
    }
  }

  return {
    async getUser(request, context) {
      refuse(violationsOf(GetUserRequestSchema, request));
      requireSelfOrAdmin(callerOf(context), request.userId);
      const user = await store.get(request.userId);
      if (user === undefined) throw userNotFound(request.userId);
      return toApiUser(user);
    },

    async listUsers(request) {
      const { pageSize, pageToken, status, role, orderBy } = request;
      refuse(violationsOf(ListUsersRequestSchema, request), ({ field }) => !(field === "page_size" && pageSize === 0));
      const filter = filterOf(status, role);
      const query = { list: "api users", filter, orderBy };
      // Read before the users, so that a simultaneous change is in the list, in the events, or in both.
      const { last } = await store.changes.range();
      const { users, next, total } = await search({
        filter: parseFilter(filter, apiUserListFields),
        order: parseOrderBy(orderBy, apiUserListFields),
        after: pageTokens.read(query, pageToken),
        limit: pageSize === 0 ? defaultPageSize : pageSize,
      });
      const nextPageToken = next === undefined ? "" : pageTokens.create(query, next);
      const resumeToken = resumeTokens.create(eventsQuery, last);
      return { users: users.map(toApiUser), nextPageToken, totalCount: total, resumeToken };
    },

    async createUser(request, context) {
      const user = await createOne(request, context);
      if (!context.responseHeader.has("idempotent-replayed")) await placeWelcomeOrder(user.id, context.timeoutMs());
      return toApiUser(user);
    },

    async updateUser(request, context) {
      const { user = create(UserSchema), updateMask } = request;
      if (user.userId === "") throw invalidArgument({ field: "user.user_id", description: "must not be empty" });
      requireSelfOrAdmin(callerOf(context), user.userId);
      const current = await store.get(user.userId);
      if (current === undefined) throw userNotFound(user.userId);
      const updated = toApiUser(current);
      applyFieldMask(UserSchema, updated, user, updateMask, {
        outputOnly: ["created_at", "updated_at"],
        immutable: ["user_id"],
      });
      // Unchanged fields are as they were stored, maybe by a package with other rules.
      const isChanged = changesOf(toApiUser(current), updated);
      const violations = violationsOf(UpdateUserRequestSchema, create(UpdateUserRequestSchema, { user: updated }));
      refuse(violations, ({ field }) => isChanged(field?.split(/[.[]/)[1] ?? ""));
      return toApiUser(await updateOne(current, updated, context));
    },

    async deleteUser(request) {
      refuse(violationsOf(DeleteUserRequestSchema, request));
      if (!(await store.delete(request.userId))) throw userNotFound(request.userId);
      return {};
    },

    async *streamUserEvents({ userIds, resumeToken }, context) {
      const caller = callerOf(context);
      if (userIds.length === 0) requireAdmin(caller, "user_ids is empty, which means all users");
      for (const id of userIds) requireSelfOrAdmin(caller, id);
      const after = resumeTokens.read(eventsQuery, resumeToken);
      for await (const { change, user } of changedUsers(parts, { userIds, after, signal: context.signal })) {
        yield toUserEvent(change, user, resumeTokens.create(eventsQuery, change.seq));
      }
    },

    async batchCreateUsers(requests, context) {
      const createdUsers: User[] = [];
      const failures: Pick<BatchFailure, "index" | "code" | "message">[] = [];
      let index = 0;
      for await (const request of untilStopping(requests, stopping)) {
        if (index >= maxBatch)
          throw resourceExhausted(`a batch takes ${maxBatch} users; the first ${maxBatch} were handled`);
        try {
          createdUsers.push(toApiUser(await createOne(request, context)));
        } catch (error) {
          failures.push({ index, ...itemFailure(error, `user ${request.user?.email ?? ""}`) });
        }
        index += 1;
      }
      return { createdUsers, failedCount: failures.length, errors: failures.map(({ message }) => message), failures };
    },

    async *syncUsers(requests, context) {
      for await (const request of untilStopping(requests, stopping)) {
        const { requestId } = request;
        try {
          yield { requestId, result: await sync(request, context) };
        } catch (error) {
          yield { requestId, result: { case: "failure", value: itemFailure(error, "sync") } };
        }
      }
    },
  };
}

/** @throws errors that are not caused by the item */
function itemFailure(error: unknown, what: string): { readonly code: number; readonly message: string } {
  if (!(error instanceof ConnectError) || !itemCodes.includes(error.code)) throw error;
  return { code: error.code, message: `${what}: ${error.rawMessage}` };
}

/** @throws ConnectError INVALID_ARGUMENT with the violations that apply */
function refuse(
  violations: readonly FieldViolation[],
  counts: (violation: FieldViolation) => boolean = () => true,
): void {
  const counted = violations.filter(counts);
  if (counted.length > 0) throw invalidArgument({ violations: counted });
}

/** Checks for fields that only admins may set. */
function requireAdminFor({ role, status }: User, context: HandlerContext): void {
  if (role !== UserRole.UNSPECIFIED && role !== UserRole.USER) requireAdmin(callerOf(context), "role");
  if (status !== UserStatus.UNSPECIFIED && status !== UserStatus.ACTIVE) requireAdmin(callerOf(context), "status");
}

/** Converts by name: roles and statuses have the same names in both packages, but different numbers. */
function filterOf(status: UserStatus, role: UserRole): string {
  const named = [
    ...(status === UserStatus.UNSPECIFIED ? [] : [`status = ${nameOf(UserStatusSchema, status, "status")}`]),
    ...(role === UserRole.UNSPECIFIED ? [] : [`role = ${nameOf(UserRoleSchema, role, "role")}`]),
  ];
  return named.join(" AND ");
}

function nameOf(schema: DescEnum, value: number, field: string): string {
  const name = schema.value[value]?.name;
  if (name === undefined) throw invalidArgument({ field, description: `${value} is not one of its values` });
  return name;
}

/** Returns whether a field, by its name in the proto, differs. */
function changesOf(before: User, after: User): (field: string) => boolean {
  const [old, now] = [before, after].map((user) => toJson(UserSchema, user, { useProtoFieldName: true }) as JsonObject);
  return (field) => JSON.stringify(old?.[field]) !== JSON.stringify(now?.[field]);
}
