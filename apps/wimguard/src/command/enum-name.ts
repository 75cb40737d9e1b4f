import type { DescEnum } from "@bufbuild/protobuf";

/** Returns the name of an enum value in lower case, without the enum's prefix; its number if it is unknown. */
export function enumName(schema: DescEnum, value: number): string {
  return schema.value[value]?.localName.toLowerCase() ?? String(value);
}
