import { type DescMessage, type Message, type Registry, toJsonString } from "@bufbuild/protobuf";

export interface PrintMessageOptions {
  readonly registry: Registry;
  /** Fields that have their zero value are printed as well. */
  readonly emitDefaults: boolean;
  /** One line, or several. */
  readonly isCompact: boolean;
}

/** A message in proto3 JSON, without a line break at its end. */
export function printMessage(schema: DescMessage, message: Message, options: PrintMessageOptions): string {
  const json = toJsonString(schema, message, {
    registry: options.registry,
    alwaysEmitImplicit: options.emitDefaults,
    ...(!options.isCompact && { prettySpaces: 2 }),
  });
  return escapeControls(json);
}

/** JSON escapes U+0000 to U+001F by itself; a terminal obeys the others just as well. */
export function escapeControls(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
