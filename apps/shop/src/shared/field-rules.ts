import { Code, ConnectError } from "@connectrpc/connect";

/** Ids of this shop have 36 characters, so much longer ones need not be looked up. */
export const maxIdChars = 64;

/** Creates an INVALID_ARGUMENT that names the field as in the proto file. */
export function invalidField(field: string, problem: string): ConnectError {
  return new ConnectError(`${field}: ${problem}`, Code.InvalidArgument);
}

/**
 * Returns a required text of one line, without the white space around it.
 *
 * @throws ConnectError INVALID_ARGUMENT naming the field.
 */
export function requiredText(field: string, value: string, maxChars: number): string {
  // The length is checked first, so that the next checks read short texts only.
  if (value.length > maxChars) throw invalidField(field, `must have at most ${maxChars} characters`);
  const text = value.trim();
  if (text === "") throw invalidField(field, "must not be empty");
  if (/\p{Cc}/u.test(text)) throw invalidField(field, "must not contain control characters");
  return text;
}

/** Returns a required id. Its form is not checked, because an unknown id is not found. */
export function requiredId(field: string, value: string): string {
  if (value === "") throw invalidField(field, "must not be empty");
  if (value.length > maxIdChars) throw invalidField(field, `must have at most ${maxIdChars} characters`);
  return value;
}
