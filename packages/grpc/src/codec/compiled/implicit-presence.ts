import { type DescField, ScalarType } from "@bufbuild/protobuf";

/** The expression that says whether the value `x` of a field without presence must be written. */
export function isSet(field: DescField & { fieldKind: "scalar" | "enum" | "message" }): string {
  if (field.fieldKind === "enum") return `x!==${field.enum.values[0]?.number}`;
  switch (field.scalar) {
    case ScalarType.BOOL:
      return "x!==false";
    case ScalarType.STRING:
      return 'x!==""';
    case ScalarType.BYTES:
      return "!(x instanceof Uint8Array)||x.length!==0";
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      // -0 is not zero on the wire.
      return "!Object.is(x,0)";
    default:
      // 64-bit values may be strings, where the schema says so.
      return "x!=0";
  }
}
