import { fromBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

/** The comments of protos, by full name: of a message, a field (`pkg.Message.field`), a service, a method (`pkg.Service.Method`), an enum or its value. */
export type ProtoComments = ReadonlyMap<string, string>;

/**
 * Reads the comments in a descriptor set, which `buf build -o api.binpb` writes with them.
 *
 * @throws Error when the bytes are not a descriptor set
 */
export function readComments(descriptorSet: Uint8Array): ProtoComments {
  return commentsOf(fromBinary(FileDescriptorSetSchema, descriptorSet).file);
}

export function commentsOf(files: readonly FileDescriptorProto[]): ProtoComments {
  const comments = new Map<string, string>();
  for (const file of files) new FileComments(file, comments).collect();
  return comments;
}

/** Field numbers of descriptor.proto, which paths are made of. */
const numberOf = {
  fileMessage: 4,
  fileEnum: 5,
  fileService: 6,
  field: 2,
  nested: 3,
  nestedEnum: 4,
  value: 2,
  method: 2,
  oneof: 8,
};

class FileComments {
  readonly #file: FileDescriptorProto;
  readonly #comments: Map<string, string>;
  readonly #byPath = new Map<string, string>();

  constructor(file: FileDescriptorProto, comments: Map<string, string>) {
    this.#file = file;
    this.#comments = comments;
    for (const { path, leadingComments, trailingComments } of file.sourceCodeInfo?.location ?? []) {
      const text = leadingComments || trailingComments;
      if (text !== "") this.#byPath.set(path.join("."), text);
    }
  }

  collect(): void {
    const file = this.#file;
    const scope = file.package === "" ? "" : `${file.package}.`;
    file.messageType.forEach((message, at) => {
      this.#message(message, scope, [numberOf.fileMessage, at]);
    });
    file.enumType.forEach((type, at) => {
      this.#enum(type, scope, [numberOf.fileEnum, at]);
    });
    file.service.forEach((service, at) => {
      const path = [numberOf.fileService, at];
      this.#add(`${scope}${service.name}`, path);
      service.method.forEach((method, index) => {
        this.#add(`${scope}${service.name}.${method.name}`, [...path, numberOf.method, index]);
      });
    });
  }

  #message(message: DescriptorProto, scope: string, path: readonly number[]): void {
    const name = `${scope}${message.name}`;
    this.#add(name, path);
    message.field.forEach((field, at) => {
      this.#add(`${name}.${field.name}`, [...path, numberOf.field, at]);
    });
    message.nestedType.forEach((nested, at) => {
      this.#message(nested, `${name}.`, [...path, numberOf.nested, at]);
    });
    message.enumType.forEach((type, at) => {
      this.#enum(type, `${name}.`, [...path, numberOf.nestedEnum, at]);
    });
  }

  #enum(type: EnumDescriptorProto, scope: string, path: readonly number[]): void {
    const name = `${scope}${type.name}`;
    this.#add(name, path);
    type.value.forEach((value, at) => {
      this.#add(`${name}.${value.name}`, [...path, numberOf.value, at]);
    });
  }

  #add(name: string, path: readonly number[]): void {
    const text = cleanComment(this.#byPath.get(path.join(".")) ?? "");
    if (text !== "") this.#comments.set(name, text);
  }
}

/** What readers of an API should see of a comment: not notes between `(--` and `--)`, and nothing that is meant for linters. */
export function cleanComment(comment: string): string {
  return comment
    .replace(/\(--[\s\S]*?--\)/g, "")
    .split("\n")
    .map((line) => line.replace(/^ /, "").trimEnd())
    .filter((line) => !/^\s*(buf:lint:|protolint:|api-linter:|@exclude\b)/.test(line))
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

/** The first paragraph in one line, and the whole text where there is more. */
export function splitComment(comment: string | undefined): {
  readonly summary?: string;
  readonly description?: string;
} {
  if (comment === undefined) return {};
  const [first = "", ...rest] = comment.split(/\n\s*\n/);
  const summary = first.replaceAll("\n", " ");
  return rest.length === 0 ? { summary } : { summary, description: comment };
}
