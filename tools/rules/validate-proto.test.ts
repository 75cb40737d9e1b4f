// The proto of protovalidate's rules in @tercel/interceptors must match the package that applies them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { it } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { type DescriptorProto, type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { file_buf_validate_validate } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

const root = dirname(dirname(import.meta.dirname));

/** Returns every name with its number, and fields with their type. */
function namesOf(file: FileDescriptorProto): string[] {
  const enums = (path: string, { enumType }: Pick<DescriptorProto, "enumType">): string[] =>
    enumType.flatMap(({ name, value }) => value.map((one) => `${path}${name}.${one.name} = ${one.number}`));
  const fields = (path: string, list: DescriptorProto["field"], message?: DescriptorProto): string[] =>
    list.map((field) => {
      const { name, number, type, typeName, label, extendee, defaultValue } = field;
      const oneof = Object.hasOwn(field, "oneofIndex") ? message?.oneofDecl[field.oneofIndex]?.name : undefined;
      return [`${path}${extendee}${name} = ${number}`, type, typeName, label, oneof, defaultValue].join(" ");
    });
  const messages = (path: string, list: readonly DescriptorProto[]): string[] =>
    list.flatMap((message) => {
      const inside = `${path}${message.name}.`;
      return [
        ...fields(inside, message.field, message),
        ...enums(inside, message),
        ...messages(inside, message.nestedType),
      ];
    });
  return [...fields("", file.extension), ...enums("", file), ...messages("", file.messageType)].toSorted();
}

it("has the rules, numbers and types of @bufbuild/protovalidate", () => {
  const buf = join(root, "node_modules", ".bin", "buf");
  const image = execFileSync(buf, ["build", join(root, "packages/interceptors/proto"), "-o", "-"]);
  const { file: files } = fromBinary(FileDescriptorSetSchema, image);
  const ours = files.find(({ name }) => name === "buf/validate/validate.proto");
  assert.ok(ours !== undefined);
  assert.ok(namesOf(ours).length > 200);
  assert.deepEqual(namesOf(ours), namesOf(file_buf_validate_validate.proto));
});
