import { create, createFileRegistry, type DescFile, type FileRegistry } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorSetSchema,
  file_google_protobuf_any,
  file_google_protobuf_api,
  file_google_protobuf_descriptor,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_source_context,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_type,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";

const wellKnownFiles: ReadonlyMap<string, DescFile> = new Map(
  [
    file_google_protobuf_any,
    file_google_protobuf_api,
    file_google_protobuf_descriptor,
    file_google_protobuf_duration,
    file_google_protobuf_empty,
    file_google_protobuf_field_mask,
    file_google_protobuf_source_context,
    file_google_protobuf_struct,
    file_google_protobuf_timestamp,
    file_google_protobuf_type,
    file_google_protobuf_wrappers,
  ].map((file) => [file.proto.name, file]),
);

/** One of the files that come with every compiler, which servers leave out at times. */
export function wellKnownFile(name: string): FileDescriptorProto | undefined {
  return wellKnownFiles.get(name)?.proto;
}

/**
 * A registry of files that import each other, in whatever order they came.
 *
 * @throws Error when a file or one of its imports is missing, when imports form a circle, or when a descriptor is wrong
 */
export function registryOfFiles(files: ReadonlyMap<string, FileDescriptorProto>): FileRegistry {
  return createFileRegistry(create(FileDescriptorSetSchema, { file: importsFirst(files) }));
}

/** Iterative, because the sender decides how deep a chain of imports is. */
function importsFirst(files: ReadonlyMap<string, FileDescriptorProto>): FileDescriptorProto[] {
  const importers = new Map<string, FileDescriptorProto[]>();
  const missing = new Map<string, number>();
  for (const file of files.values()) {
    const imports = new Set(file.dependency);
    missing.set(file.name, imports.size);
    for (const name of imports) {
      if (!files.has(name)) throw new Error(`${file.name} imports ${name}, which is missing`);
      const known = importers.get(name);
      if (known === undefined) importers.set(name, [file]);
      else known.push(file);
    }
  }
  const sorted = [...files.values()].filter((file) => missing.get(file.name) === 0);
  for (const file of sorted) {
    for (const importer of importers.get(file.name) ?? []) {
      const left = (missing.get(importer.name) ?? 0) - 1;
      missing.set(importer.name, left);
      if (left === 0) sorted.push(importer);
    }
  }
  if (sorted.length < files.size) {
    const circle = [...files.keys()].filter((name) => (missing.get(name) ?? 0) > 0);
    throw new Error(`files import each other in a circle: ${circle.slice(0, 3).join(", ")}`);
  }
  return sorted;
}
