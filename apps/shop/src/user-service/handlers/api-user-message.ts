import { create, fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { invalidArgument } from "@tercel/grpc/errors";
import { type User, UserEventSchema, UserProfileSchema, UserRole, UserSchema } from "../../gen/api/user/v1/user_pb.ts";
import { UserRole as RoleV1 } from "../../gen/user/v1/user_pb.ts";
import { requiredText } from "../../shared/field-rules.ts";
import { splitName } from "../store/person-name.ts";
import type { StoredRole, StoredStatus, StoredUser } from "../store/user-row.ts";
import type { NewUser, UserChange } from "../store/user-store.ts";

/** The packages have different numbers for roles. The store has the numbers of user.v1. */
const storedRoles: Readonly<Record<number, StoredRole>> = {
  [UserRole.USER]: RoleV1.USER,
  [UserRole.MODERATOR]: RoleV1.MODERATOR,
  [UserRole.ADMIN]: RoleV1.ADMIN,
};
const shownRoles = Object.fromEntries(Object.entries(storedRoles).map(([shown, stored]) => [stored, Number(shown)]));
const statuses: readonly StoredStatus[] = [1, 2, 3];

const maxNameChars = 100;
const maxMetadataChars = 16_384;
const maxProfileChars = 65_536;

/** Converts a stored user to api.user.v1. */
export function toApiUser(user: StoredUser): User {
  const { id: userId, email, name: displayName, status, role, metadata, profile, createdAtMs, updatedAtMs } = user;
  return create(UserSchema, {
    userId,
    email,
    displayName,
    status,
    role: shownRoles[role] as UserRole,
    metadata: JSON.parse(metadata) as Record<string, string>,
    createdAt: timestampFromMs(createdAtMs),
    updatedAt: timestampFromMs(updatedAtMs),
    ...(profile !== null && { profile: fromJsonString(UserProfileSchema, profile) }),
  });
}

/**
 * Converts a user for the store. Checks what the rules in the proto do not.
 *
 * @param current The stored user. An unchanged name may be longer than this package allows.
 * @throws ConnectError INVALID_ARGUMENT
 */
export function fromApiUser(user: User, current?: StoredUser): Required<Omit<NewUser, "id" | "passwordHash">> {
  const role = user.role === UserRole.UNSPECIFIED ? RoleV1.USER : storedRoles[user.role];
  const status = user.status === 0 ? 1 : statuses.find((one) => one === Number(user.status));
  if (role === undefined) throw invalid("user.role", "is not a role");
  if (status === undefined) throw invalid("user.status", "must be active, inactive or suspended; DeleteUser deletes");
  const metadata = JSON.stringify(user.metadata);
  if (metadata.length > maxMetadataChars)
    throw invalid("user.metadata", `has more than ${maxMetadataChars} characters`);
  const profile = user.profile === undefined ? null : toJsonString(UserProfileSchema, user.profile);
  if (profile !== null && profile.length > maxProfileChars) {
    throw invalid("user.profile", `has more than ${maxProfileChars} characters`);
  }
  const name =
    user.displayName === current?.name
      ? { full: current.name, first: current.firstName, last: current.lastName }
      : splitName(requiredText("user.display_name", user.displayName, maxNameChars));
  return { name, email: user.email, role, status, metadata, profile };
}

function invalid(field: string, description: string) {
  return invalidArgument({ field, description });
}

/** The names of the store's changes in api.user.v1. */
const fieldNames: Readonly<Record<string, string>> = { name: "display_name" };

/** Converts a change for StreamUserEvents. */
export function toUserEvent(change: UserChange, user: StoredUser | undefined, resumeToken: string) {
  const shown = user === undefined ? undefined : toApiUser(user);
  const timestamp = timestampFromMs(change.atMs);
  const event =
    shown === undefined
      ? ({ case: "userDeleted", value: { userId: change.userId } } as const)
      : change.kind === "created"
        ? ({ case: "userCreated", value: { user: shown } } as const)
        : ({
            case: "userUpdated",
            value: { user: shown, updatedFields: { paths: change.fields.map((field) => fieldNames[field] ?? field) } },
          } as const);
  return create(UserEventSchema, { event, timestamp, resumeToken });
}
