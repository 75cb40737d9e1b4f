import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { UserRole, UserSchema, UserUpdate_UpdateType, type User as UserV1 } from "../../gen/user/v1/user_pb.ts";
import type { StoredRole, StoredUser } from "../store/user-row.ts";
import type { UserChange } from "../store/user-store.ts";

/** Converts a stored user to user.v1. */
export function toUserV1(user: StoredUser): UserV1 {
  const { id, email, firstName, lastName, role, createdAtMs, updatedAtMs } = user;
  const times = { createdAt: timestampFromMs(createdAtMs), updatedAt: timestampFromMs(updatedAtMs) };
  return create(UserSchema, { id, email, firstName, lastName, role, ...times });
}

/** Converts a change for StreamUserUpdates. A deleted user has only an id. */
export function toUpdateV1(change: UserChange, user: StoredUser | undefined, resumeToken: string) {
  return {
    type: updateTypes[change.kind],
    user: user === undefined ? ({ id: change.userId } satisfies MessageInitShape<typeof UserSchema>) : toUserV1(user),
    timestamp: timestampFromMs(change.atMs),
    resumeToken,
  };
}

/** Returns the role for the store; undefined for UNSPECIFIED and unknown numbers. */
export function toStoredRole(role: UserRole): StoredRole | undefined {
  return storedRoles.find((one) => one === role);
}

const storedRoles: readonly StoredRole[] = [UserRole.USER, UserRole.ADMIN, UserRole.MODERATOR];

const updateTypes = {
  created: UserUpdate_UpdateType.CREATED,
  updated: UserUpdate_UpdateType.UPDATED,
  deleted: UserUpdate_UpdateType.DELETED,
} as const;
