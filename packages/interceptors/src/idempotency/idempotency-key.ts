import type { Message } from "@bufbuild/protobuf";
import type { UnaryRequest } from "@connectrpc/connect";
import { invalidArgument } from "@tercel/grpc/errors";
import { readHeader } from "@tercel/grpc/hooks";
import type { KeyRule } from "./key-rules.ts";

/** The metadata that carries a key unless an interceptor was given another. */
export const idempotencyHeader = "idempotency-key";

/** Long enough for two UUIDs and a name, short enough to be stored a hundred thousand times. */
const maxKeyChars = 255;
/** Printable ASCII, which is what metadata carries. */
const keyForm = /^[\x21-\x7e]+$/;

/** The key of a call: from the request's field, else from the header; undefined when neither has one. */
export function readKey(request: UnaryRequest, rule: KeyRule, header: string): string | undefined {
  const { field, localName } = rule;
  // An optional field that is not set is undefined, any other is empty.
  const inMessage = localName === undefined ? undefined : fieldsOf(request)[localName] || undefined;
  const inHeader = readHeader(request, header)?.trim() || undefined;
  if (inMessage !== undefined && inHeader !== undefined && inMessage !== inHeader) {
    throw invalidArgument({ field, description: `is another key than the one in the header ${header}` });
  }
  const key = inMessage ?? inHeader;
  if (key === undefined || (key.length <= maxKeyChars && keyForm.test(key))) return key;
  const what = inMessage === undefined ? `in the header ${header} ` : "";
  throw invalidArgument({ field, description: `${what}has to be 1 to ${maxKeyChars} printable ASCII characters` });
}

function fieldsOf(request: UnaryRequest): Record<string, string | undefined> {
  return request.message as Message & Record<string, string | undefined>;
}
