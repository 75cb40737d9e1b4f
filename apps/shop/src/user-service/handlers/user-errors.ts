import type { ConnectError } from "@connectrpc/connect";
import { alreadyExists, notFound } from "@tercel/grpc/errors";
import { errorDomain } from "../../shared/caller.ts";
import type { Refusal } from "../store/user-store.ts";

/** Returns the status of a failure of the store, for the user with this id and address. */
export function refusalError(
  refusal: Refusal,
  { id, email }: { readonly id: string; readonly email: string },
): ConnectError {
  switch (refusal) {
    case "not-found":
      return userNotFound(id);
    case "email-taken":
      return emailTaken(email);
    case "id-taken":
      return alreadyExists({
        message: "user_id: another user has this id",
        resource: { type: "user", name: `users/${id}` },
        reason: "ID_TAKEN",
        domain: errorDomain,
        metadata: { field: "user_id" },
      });
  }
}

export function userNotFound(id: string): ConnectError {
  return notFound({ resource: { type: "user", name: `users/${id}` }, reason: "USER_NOT_FOUND", domain: errorDomain });
}

export function emailTaken(email: string): ConnectError {
  return alreadyExists({
    message: "email: another user has this address",
    resource: { type: "user", name: email },
    reason: "EMAIL_TAKEN",
    domain: errorDomain,
    metadata: { field: "email" },
  });
}
