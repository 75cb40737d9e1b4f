import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type User, UserRole, UserStatus } from "../../src/gen/api/user/v1/user_pb.ts";

export const roleTexts: Readonly<Record<number, string>> = {
  [UserRole.USER]: "User",
  [UserRole.MODERATOR]: "Moderator",
  [UserRole.ADMIN]: "Admin",
};

export const statusTexts: Readonly<Record<number, string>> = {
  [UserStatus.ACTIVE]: "Active",
  [UserStatus.INACTIVE]: "Inactive",
  [UserStatus.SUSPENDED]: "Suspended",
};

export const statusTones: Readonly<Record<number, string>> = {
  [UserStatus.ACTIVE]: "good",
  [UserStatus.INACTIVE]: "warn",
  [UserStatus.SUSPENDED]: "bad",
};

/** The labels of a user's fields. */
const fieldTexts: Readonly<Record<string, string>> = {
  display_name: "name",
  email: "email",
  role: "role",
  status: "status",
  metadata: "metadata",
  profile: "profile",
};

export function fieldText(path: string): string {
  return fieldTexts[path.split(".", 1)[0] ?? ""] ?? path;
}

export function nameOf(user: User | undefined): string {
  return user === undefined ? "A user" : user.displayName || user.email || user.userId;
}

/** Returns up to two letters. */
export function initialsOf(user: User): string {
  const [first = "", ...others] = nameOf(user).trim().split(/\s+/);
  return `${[...first][0] ?? "?"}${[...(others.at(-1) ?? "")][0] ?? ""}`;
}

/** Returns a hue from 0 to 359, always the same for a user. */
export function hueOf({ userId }: User): number {
  let hash = 0;
  for (const character of userId) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 359;
  return hash;
}

const times = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export function timeElementTexts(timestamp: Parameters<typeof timestampDate>[0]): {
  readonly machine: string;
  readonly shown: string;
} {
  const date = timestampDate(timestamp);
  return { machine: date.toISOString(), shown: times.format(date) };
}
