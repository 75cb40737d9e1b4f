import { Code, ConnectError } from "@connectrpc/connect";

/** An id that this shop could have given has 36 characters; anything much longer need not be looked up. */
export const maxIdChars = 64;

/** An INVALID_ARGUMENT that names the field as it is written in the proto file. */
export function invalidField(field: string, problem: string): ConnectError {
  return new ConnectError(`${field}: ${problem}`, Code.InvalidArgument);
}

/**
 * A required text of one line, with the white space around it removed.
 *
 * @throws ConnectError INVALID_ARGUMENT naming the field.
 */
export function requiredText(field: string, value: string, maxChars: number): string {
  // The length comes first, so that what follows looks at short texts only.
  if (value.length > maxChars) throw invalidField(field, `must have at most ${maxChars} characters`);
  const text = value.trim();
  if (text === "") throw invalidField(field, "must not be empty");
  if (/\p{Cc}/u.test(text)) throw invalidField(field, "must not contain control characters");
  return text;
}

/** A required id; its form is not judged, an unknown one is simply not found. */
export function requiredId(field: string, value: string): string {
  if (value === "") throw invalidField(field, "must not be empty");
  if (value.length > maxIdChars) throw invalidField(field, `must have at most ${maxIdChars} characters`);
  return value;
}
