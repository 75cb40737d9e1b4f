import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import {
  FileDescriptorSetSchema,
  file_google_protobuf_empty,
  file_google_protobuf_struct,
} from "@bufbuild/protobuf/wkt";

/** Receives lists, unlike the echo service. An element may have two bytes only. */
export const listsService = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      file_google_protobuf_empty.proto,
      file_google_protobuf_struct.proto,
      {
        name: "lists.proto",
        package: "bench.lists.v1",
        dependency: ["google/protobuf/empty.proto", "google/protobuf/struct.proto"],
        service: [
          {
            name: "ListsService",
            method: [{ name: "Length", inputType: ".google.protobuf.ListValue", outputType: ".google.protobuf.Empty" }],
          },
        ],
      },
    ],
  }),
).getService("bench.lists.v1.ListsService") as DescService;

export const listsMethodPath = "/bench.lists.v1.ListsService/Length";
