import { create } from "@bufbuild/protobuf";
import { applyFieldMask } from "@tercel/aip";
import { type FieldViolation, invalidArgument } from "@tercel/grpc/errors";
import { type UpdateUserRequest, type User, UserRole, UserSchema } from "../../gen/user/v1/user_pb.ts";

/**
 * Returns the user after UpdateUser. The mask names fields of User. Times are set by the server, so they are ignored.
 *
 * @throws ConnectError INVALID_ARGUMENT for each path that does not exist or may not change, and for each field that would be empty
 */
export function updatedUser(current: User, request: UpdateUserRequest): User {
  const { id, email, firstName, lastName, role } = request;
  const wanted = create(UserSchema, { id, email, firstName: firstName.trim(), lastName: lastName.trim(), role });
  const updated = create(UserSchema, { ...current });
  applyFieldMask(UserSchema, updated, wanted, request.updateMask, {
    outputOnly: ["created_at", "updated_at"],
    immutable: ["id"],
  });
  const violations: FieldViolation[] = [];
  const refuseEmpty = (field: string, isEmptied: boolean) => {
    if (isEmptied)
      violations.push({ field, description: "is named by update_mask, so it must not be empty", reason: "EMPTY" });
  };
  refuseEmpty("email", updated.email === "");
  refuseEmpty("first_name", updated.firstName === "");
  // Users with a name of one word have no last name.
  refuseEmpty("last_name", updated.lastName === "" && current.lastName !== "");
  refuseEmpty("role", updated.role === UserRole.UNSPECIFIED);
  if (violations.length > 0) throw invalidArgument({ violations });
  return updated;
}
