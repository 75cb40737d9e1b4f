import { clone, create, createFileRegistry, setExtension } from "@bufbuild/protobuf";
import { FieldOptionsSchema, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import {
  FieldRulesSchema,
  field,
  file_buf_validate_validate as ruleFile,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { EchoService } from "../peers/tercel/gen/echo_pb.ts";

/** The echo service with validation rules for its requests, like a user's service. The peers' copies need none. */
export function guardedEcho(): typeof EchoService {
  const file = clone(FileDescriptorProtoSchema, EchoService.file.proto);
  const rules = {
    "EchoRequest.message": create(FieldRulesSchema, { type: { case: "string", value: { minLen: 1n, maxLen: 100n } } }),
    "StreamRequest.count": create(FieldRulesSchema, {
      type: { case: "uint32", value: { lessThan: { case: "lte", value: 10_000 } } },
    }),
  };
  for (const message of file.messageType) {
    for (const one of message.field) {
      const rule = rules[`${message.name}.${one.name}` as keyof typeof rules];
      if (rule === undefined) continue;
      one.options = create(FieldOptionsSchema);
      setExtension(one.options, field, rule);
    }
  }
  file.dependency.push(ruleFile.proto.name);
  const service = createFileRegistry(file, () => ruleFile).getService(EchoService.typeName);
  if (service === undefined) throw new Error("the descriptor lost its service");
  // The same methods and messages, but the compiler does not know the types in the registry.
  return service as typeof EchoService;
}
