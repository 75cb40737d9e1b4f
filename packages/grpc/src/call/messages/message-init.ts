import { create, type DescMessage, type Message, type MessageInitShape } from "@bufbuild/protobuf";

/** Applications may give a message or the plain object it can be made from (Connect's MessageInitShape). */
export function toMessage(schema: DescMessage, init: MessageInitShape<DescMessage>): Message {
  if ((init as Partial<Message>).$typeName === schema.typeName) return init as Message;
  return create(schema, init);
}
