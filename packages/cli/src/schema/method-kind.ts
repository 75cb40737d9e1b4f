import type { DescMethod } from "@bufbuild/protobuf";

/** The kind of a method as gRPC's documents call it: `server streaming`. */
export function methodKindText(kind: DescMethod["methodKind"]): string {
  return kind.replace("_", " ").replace("bidi", "bidirectional");
}
