import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { file_shapes } from "./gen/shapes_pb.ts";
import { type Shape, samples } from "./samples.ts";

export function schemaOf(shape: Shape): DescMessage {
  const schema = file_shapes.messages.find(({ name }) => name === shape);
  if (schema === undefined) throw new Error(`proto/shapes.proto has no ${shape}`);
  return schema;
}

export function messageOf(shape: Shape): Message {
  return create(schemaOf(shape), samples[shape] as never);
}
