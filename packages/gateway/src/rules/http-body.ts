import { create, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { type HttpBody, HttpBodySchema } from "../gen/google/api/httpbody_pb.ts";
import type { RestBinding } from "./rest-binding.ts";

/** Whether the HTTP body of a request, or of a response, is the bytes of a google.api.HttpBody, and not JSON. */
export function isRawBody(message: DescMessage, field: DescField | "*" | undefined): boolean {
  const body =
    field === undefined || field === "*" ? message : field.fieldKind === "message" ? field.message : undefined;
  return body?.typeName === HttpBodySchema.typeName;
}

/** The HttpBody in a response. */
export function rawBodyOf({ responseBody, method }: RestBinding, message: Message): HttpBody {
  if (responseBody === undefined) return message as HttpBody;
  const field: unknown = reflect(method.output, message).get(responseBody);
  return (field as { readonly message: HttpBody }).message;
}

/** The part of a request message that the HTTP body makes. */
export function createRawBody({ body, method }: RestBinding, contentType: string, data: Uint8Array): Message {
  const raw = create(HttpBodySchema, { contentType, data });
  const message = create(method.input);
  if (body === "*" || body === undefined) return Object.assign(message, { contentType, data });
  reflect(method.input, message).set(body, reflect(HttpBodySchema, raw));
  return message;
}
