import type { DescMethod } from "@bufbuild/protobuf";

/** Returns the kind of a method in gRPC's terms: `server streaming`. */
export function methodKindText(kind: DescMethod["methodKind"]): string {
  return kind.replace("_", " ").replace("bidi", "bidirectional");
}
