import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { Codec } from "../codec/index.ts";
import { formatMethodPath, type MethodPath } from "../protocol/method-path.ts";
import { type MessageCodec, SchemaCodec } from "./messages/message-codec.ts";

/** A method as a client calls it: a path and a codec for each direction. A descriptor is one way to come by them. */
export interface MethodDefinition<I extends object = object, O extends object = object> {
  /** "/package.Service/Method" */
  readonly path: string;
  readonly name: MethodPath;
  readonly request: MessageCodec<I>;
  readonly response: MessageCodec<O>;
  /** For interceptors and observers of attempts; undefined where the messages are bytes. */
  readonly desc: DescMethod | undefined;
}

/** A method of a service that the program knows. */
export function defineMethod(desc: DescMethod, codec: Codec): MethodDefinition<Message, Message> {
  const name = { service: desc.parent.typeName, method: desc.name };
  return {
    path: formatMethodPath(name.service, name.method),
    name,
    request: new SchemaCodec(codec, desc.input),
    response: new SchemaCodec(codec, desc.output),
    desc,
  };
}
