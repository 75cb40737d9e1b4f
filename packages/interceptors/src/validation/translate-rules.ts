import {
  clone,
  create,
  createFileRegistry,
  type DescField,
  type DescFile,
  type DescMessage,
  type FileRegistry,
  getExtension,
  hasExtension,
  isFieldSet,
  type Message,
  setExtension,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import {
  type FieldRules,
  FieldRulesSchema,
  field as fieldRules,
  Ignore,
  OneofRulesSchema,
  oneof as oneofRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import {
  disabled,
  ignored,
  type FieldRules as OldFieldRules,
  FieldRulesSchema as OldFieldRulesSchema,
  rules as oldFieldRules,
  required as oldOneofRequired,
} from "../gen/validate/validate_pb.ts";

/**
 * Translates the rules of protoc-gen-validate in descriptors to those of protovalidate. The results are copies; the original descriptors do
 * not change. If a field has rules of both kinds, those of protovalidate apply.
 */
export class RuleTranslation {
  /** The translated files; undefined if neither the file nor its imports have rules to translate. */
  private readonly registries = new Map<DescFile, FileRegistry | undefined>();

  /** Returns the message's descriptor with protovalidate's rules; the same descriptor if there is nothing to translate. */
  translated(message: DescMessage): DescMessage {
    const { file } = message;
    if (!this.registries.has(file)) this.registries.set(file, translateFiles(file));
    return this.registries.get(file)?.getMessage(message.typeName) ?? message;
  }
}

/** Fields of the old rules that are not copied: they are translated separately, or have no equivalent. */
const notCopied = new Set(["ignore_empty", "required", "no_sparse", "items", "keys", "values"]);

function translateFiles(file: DescFile): FileRegistry | undefined {
  const protos = closureOf(file).map((one) => clone(FileDescriptorProtoSchema, one.proto));
  // Not `some`: all of them must be translated.
  const changes = protos.map(translateFile);
  if (!changes.includes(true)) return undefined;
  return createFileRegistry(create(FileDescriptorSetSchema, { file: protos }));
}

/** Returns the file and all its imports; each file comes after its imports. */
function closureOf(file: DescFile, seen = new Set<DescFile>()): DescFile[] {
  if (seen.has(file)) return [];
  seen.add(file);
  return [...file.dependencies.flatMap((one) => closureOf(one, seen)), file];
}

function translateFile(file: FileDescriptorProto): boolean {
  return file.messageType.map(translateMessage).includes(true);
}

/** Returns whether the message had rules to translate. */
function translateMessage(message: DescriptorProto): boolean {
  const isOff = [disabled, ignored].some(
    (option) => message.options !== undefined && getExtension(message.options, option),
  );
  const changes = [
    ...message.nestedType.map(translateMessage),
    ...message.field.map((field) => (isOff ? switchOff(field) : translateField(field))),
    ...message.oneofDecl.map(({ options }) => {
      if (isOff || options === undefined || !getExtension(options, oldOneofRequired)) return false;
      if (!hasExtension(options, oneofRules))
        setExtension(options, oneofRules, create(OneofRulesSchema, { required: true }));
      return true;
    }),
  ];
  return changes.includes(true);
}

function translateField(field: FieldDescriptorProto): boolean {
  const { options } = field;
  if (options === undefined || !hasExtension(options, oldFieldRules)) return false;
  if (!hasExtension(options, fieldRules)) {
    const rules = translateRules(getExtension(options, oldFieldRules));
    // protoc-gen-validate checks a member of a oneof only if it is set.
    if (isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex) && !field.proto3Optional) rules.required = false;
    setExtension(options, fieldRules, rules);
  }
  return true;
}

/** "disabled" and "ignored" also apply to the messages in the message's fields. */
function switchOff(field: FieldDescriptorProto): boolean {
  field.options ??= create(FieldOptionsSchema);
  if (!hasExtension(field.options, fieldRules)) {
    setExtension(field.options, fieldRules, create(FieldRulesSchema, { ignore: Ignore.ALWAYS }));
  }
  return true;
}

function translateRules(old: OldFieldRules): FieldRules {
  const rules = create(FieldRulesSchema);
  const { type } = old;
  if (old.message?.skip === true) rules.ignore = Ignore.ALWAYS;
  if (old.message?.required === true) rules.required = true;
  if (type.case === undefined) return rules;
  if ("required" in type.value && type.value.required) rules.required = true;
  if ("ignoreEmpty" in type.value && type.value.ignoreEmpty) rules.ignore = Ignore.IF_ZERO_VALUE;
  const target = fieldNamed(FieldRulesSchema, type.case);
  if (target?.message === undefined) return rules;
  const translated = copySameNames(OldFieldRulesSchema, type.case, type.value, target.message);
  if (type.case === "repeated" && type.value.items !== undefined) {
    Object.assign(translated, { items: translateRules(type.value.items) });
  }
  if (type.case === "map") {
    if (type.value.keys !== undefined) Object.assign(translated, { keys: translateRules(type.value.keys) });
    if (type.value.values !== undefined) Object.assign(translated, { values: translateRules(type.value.values) });
  }
  rules.type = { case: type.case, value: translated } as FieldRules["type"];
  return rules;
}

/** Copies rules that have the same name and meaning in both sets. */
function copySameNames(parent: DescMessage, name: string, value: Message, schema: DescMessage): Message {
  const source = fieldNamed(parent, name)?.message as DescMessage;
  const from = reflect(source, value);
  const to = reflect(schema);
  for (const field of source.fields) {
    if (notCopied.has(field.name) || !from.isSet(field)) continue;
    const target = fieldNamed(schema, field.name);
    if (target === undefined) throw new TypeError(`protovalidate has no rule ${schema.typeName}.${field.name}`);
    if (target.fieldKind !== "list") {
      to.set(target, from.get(field));
      continue;
    }
    const list = to.get(target);
    for (const item of from.get(field as typeof target)) list.add(item);
  }
  return to.message;
}

function fieldNamed(schema: DescMessage, name: string): DescField | undefined {
  return schema.fields.find((field) => field.name === name);
}
