import type { Message } from "@bufbuild/protobuf";
import type { UnaryRequest } from "@connectrpc/connect";
import { invalidArgument } from "@tercel/grpc/errors";
import { readHeader } from "@tercel/grpc/hooks";
import type { KeyRule } from "./key-rules.ts";

/** The default name of the metadata with the key. */
export const idempotencyHeader = "idempotency-key";

/** The maximum length of a key: enough for two UUIDs and a name. */
const maxKeyChars = 255;
/** Printable ASCII without spaces, as in metadata. */
const keyForm = /^[\x21-\x7e]+$/;

/** Returns the key of a call from the request's field, or else from the header; undefined without either. */
export function readKey(request: UnaryRequest, rule: KeyRule, header: string): string | undefined {
  const { field, localName } = rule;
  // An unset field is undefined if it is optional, and empty otherwise.
  const inMessage = localName === undefined ? undefined : fieldsOf(request)[localName] || undefined;
  const inHeader = readHeader(request, header)?.trim() || undefined;
  if (inMessage !== undefined && inHeader !== undefined && inMessage !== inHeader) {
    throw invalidArgument({ field, description: `differs from the key in the header ${header}` });
  }
  const key = inMessage ?? inHeader;
  if (key === undefined || (key.length <= maxKeyChars && keyForm.test(key))) return key;
  const what = inMessage === undefined ? `in the header ${header} ` : "";
  throw invalidArgument({ field, description: `${what}must be 1 to ${maxKeyChars} printable ASCII characters` });
}

function fieldsOf(request: UnaryRequest): Record<string, string | undefined> {
  return request.message as Message & Record<string, string | undefined>;
}
