import { create, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { type HttpBody, HttpBodySchema } from "../gen/google/api/httpbody_pb.ts";
import type { RestBinding } from "./rest-binding.ts";

/** Whether the HTTP body is the raw bytes of a google.api.HttpBody instead of JSON. */
export function isRawBody(message: DescMessage, field: DescField | "*" | undefined): boolean {
  const body =
    field === undefined || field === "*" ? message : field.fieldKind === "message" ? field.message : undefined;
  return body?.typeName === HttpBodySchema.typeName;
}

/** Returns the HttpBody of a response. */
export function rawBodyOf({ responseBody, method }: RestBinding, message: Message): HttpBody {
  if (responseBody === undefined) return message as HttpBody;
  const field: unknown = reflect(method.output, message).get(responseBody);
  return (field as { readonly message: HttpBody }).message;
}

/** Builds a request message from a raw HTTP body. */
export function createRawBody({ body, method }: RestBinding, contentType: string, data: Uint8Array): Message {
  const raw = create(HttpBodySchema, { contentType, data });
  const message = create(method.input);
  if (body === "*" || body === undefined) return Object.assign(message, { contentType, data });
  reflect(method.input, message).set(body, reflect(HttpBodySchema, raw));
  return message;
}
