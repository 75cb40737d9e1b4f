import { type DescEnum, type DescFile, type DescMessage, type DescService, toBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** Finds the .proto file that declares something. All names are full names without a leading dot. */
export interface DescriptorIndex {
  /** By the name that other files import it by, for example "google/protobuf/any.proto". */
  fileByName(name: string): DescFile | undefined;
  /** By a service, method, message, enum, enum value, field, oneof or extension. */
  fileBySymbol(symbol: string): DescFile | undefined;
  /** By an extension, identified by the message it extends and its number. */
  fileByExtension(extendee: string, number: number): DescFile | undefined;
  /** The numbers of all known extensions of a message, ascending; `undefined` for an unknown message. */
  extensionNumbers(extendee: string): readonly number[] | undefined;
  /** A file as a serialized google.protobuf.FileDescriptorProto. */
  serialize(file: DescFile): Uint8Array;
}

/** Indexes the given files and everything they import. Of two files with one name the first counts. */
export function createDescriptorIndex(files: Iterable<DescFile>): DescriptorIndex {
  const filesByName = new Map<string, DescFile>();
  const filesBySymbol = new Map<string, DescFile>();
  const messageNames = new Set<string>();
  const extensions = new Map<string, Map<number, DescFile>>();
  const serialized = new Map<DescFile, Uint8Array>();

  // Iterative, because import chains are as deep as their authors like.
  const pending = [...files];
  for (let file = pending.shift(); file !== undefined; file = pending.shift()) {
    if (filesByName.has(file.proto.name)) continue;
    filesByName.set(file.proto.name, file);
    addDeclarations(file);
    pending.push(...file.dependencies);
  }

  function addDeclarations(file: DescFile): void {
    for (const declared of nestedTypes(file)) {
      addSymbol(declared.typeName, file);
      switch (declared.kind) {
        case "message":
          messageNames.add(declared.typeName);
          for (const field of declared.fields) addSymbol(`${declared.typeName}.${field.name}`, file);
          for (const oneof of declared.oneofs) addSymbol(`${declared.typeName}.${oneof.name}`, file);
          break;
        case "enum":
          for (const value of declared.values) addSymbol(scopeOf(declared) + value.name, file);
          break;
        case "service":
          for (const method of declared.methods) addSymbol(`${declared.typeName}.${method.name}`, file);
          break;
        case "extension": {
          const extendee = declared.extendee.typeName;
          const byNumber = extensions.get(extendee) ?? new Map<number, DescFile>();
          extensions.set(extendee, byNumber.set(declared.number, file));
          break;
        }
      }
    }
  }

  function addSymbol(symbol: string, file: DescFile): void {
    if (!filesBySymbol.has(symbol)) filesBySymbol.set(symbol, file);
  }

  return {
    fileByName: (name) => filesByName.get(name),
    fileBySymbol: (symbol) => filesBySymbol.get(symbol),
    fileByExtension: (extendee, number) => extensions.get(extendee)?.get(number),
    extensionNumbers(extendee) {
      if (!messageNames.has(extendee)) return undefined;
      return Array.from(extensions.get(extendee)?.keys() ?? []).sort((a, b) => a - b);
    },
    serialize(file) {
      let bytes = serialized.get(file);
      if (bytes === undefined) {
        bytes = toBinary(FileDescriptorProtoSchema, file.proto);
        serialized.set(file, bytes);
      }
      return bytes;
    },
  };
}

/** The files that declare the given services, each once. */
export function filesOfServices(services: Iterable<DescService>): Set<DescFile> {
  return new Set(Array.from(services, (service) => service.file));
}

/** Enum values are named next to their enum, not inside it, as in C++. */
function scopeOf(declared: DescEnum): string {
  const parent: DescMessage | undefined = declared.parent;
  const scope = parent?.typeName ?? declared.file.proto.package;
  return scope === "" ? "" : `${scope}.`;
}
