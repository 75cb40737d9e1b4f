import { type DescMessage, type Message, type Registry, toJsonString } from "@bufbuild/protobuf";

export interface PrintMessageOptions {
  readonly registry: Registry;
  /** Whether fields with their default value are printed too. */
  readonly emitDefaults: boolean;
  /** Whether the JSON is on one line. */
  readonly isCompact: boolean;
}

/** Formats a message as proto3 JSON, without a trailing newline. */
export function printMessage(schema: DescMessage, message: Message, options: PrintMessageOptions): string {
  const json = toJsonString(schema, message, {
    registry: options.registry,
    alwaysEmitImplicit: options.emitDefaults,
    ...(!options.isCompact && { prettySpaces: 2 }),
  });
  return escapeControls(json);
}

/** Escapes control characters above U+001F, which JSON does not escape but terminals interpret. */
export function escapeControls(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
