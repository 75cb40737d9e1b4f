import type { DescEnum } from "@bufbuild/protobuf";

/** The name of an enum's value in small letters, without the enum's own name; its number for one of a newer release. */
export function enumName(schema: DescEnum, value: number): string {
  return schema.value[value]?.localName.toLowerCase() ?? String(value);
}
