import { fail } from "../failure/failure.ts";

const maxCharacters = 4096;

/** Validates a description. @throws FailureError FIELD_INVALID */
export function checkDescription(description: string): string {
  if (description.length <= maxCharacters && !description.includes("\0")) return description;
  const message = `invalid description: use at most ${maxCharacters} characters and no NUL`;
  fail({ reason: "FIELD_INVALID", field: "description", message });
}
