import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";

export interface Completions {
  /** Possible completions, including quotes. */
  readonly candidates: readonly string[];
  /** The trailing text that a candidate replaces. */
  readonly replaced: string;
}

/** The context at a position: fields of an object, the value of a field, or unknown. */
type Frame =
  | { readonly kind: "message"; readonly schema: DescMessage; key: string | undefined; readonly used: string[] }
  | { readonly kind: "list"; readonly field: DescField }
  | { readonly kind: "map"; readonly field: DescField; key: string | undefined }
  | { readonly kind: "other"; key: string | undefined };

/** Completes an unfinished JSON message: field names, enum values, true and false. */
export function completeJson(schema: DescMessage, text: string): Completions {
  const frames: Frame[] = [];
  let openText: string | undefined;
  let word = "";
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (openText !== undefined) {
      if (character === "\\") openText += text.slice(at, ++at + 1);
      else if (character === '"') {
        closeText(frames.at(-1), openText);
        openText = undefined;
      } else openText += character;
      continue;
    }
    if (character === '"') openText = "";
    else if (character === "{" || character === "[") frames.push(openFrame(schema, frames, character));
    else if (character === "}" || character === "]") frames.pop();
    else if (character === ",") clearKey(frames.at(-1));
    word = /[\w.+-]/.test(character) ? word + character : "";
  }
  const frame = frames.at(-1);
  const typed = openText === undefined ? word : `"${openText}`;
  const expected = frame === undefined ? ["{"] : expectedAt(frame);
  return { candidates: expected.filter((one) => one.startsWith(typed)), replaced: typed };
}

/** Takes a finished string as a field name, where one is expected. */
function closeText(frame: Frame | undefined, text: string): void {
  if (frame === undefined || frame.kind === "list" || frame.key !== undefined) return;
  frame.key = text;
  if (frame.kind === "message") frame.used.push(text);
}

function clearKey(frame: Frame | undefined): void {
  if (frame !== undefined && frame.kind !== "list") frame.key = undefined;
}

function openFrame(root: DescMessage, frames: readonly Frame[], bracket: "{" | "["): Frame {
  const parent = frames.at(-1);
  if (parent === undefined) return bracket === "{" ? messageFrame(root) : { kind: "other", key: undefined };
  const field = fieldOf(parent);
  if (field === undefined) return { kind: "other", key: undefined };
  if (bracket === "[") return field.fieldKind === "list" ? { kind: "list", field } : { kind: "other", key: undefined };
  if (field.fieldKind === "map" && parent.kind === "message") return { kind: "map", field, key: undefined };
  return field.message === undefined ? { kind: "other", key: undefined } : messageFrame(field.message);
}

function messageFrame(schema: DescMessage): Frame {
  return { kind: "message", schema, key: undefined, used: [] };
}

/** Returns the field whose value is being typed. */
function fieldOf(frame: Frame): DescField | undefined {
  if (frame.kind === "list" || frame.kind === "map") return frame.field;
  if (frame.kind === "other" || frame.key === undefined) return undefined;
  return frame.schema.fields.find(({ name, jsonName }) => name === frame.key || jsonName === frame.key);
}

function expectedAt(frame: Frame): string[] {
  if (frame.kind === "message" && frame.key === undefined) {
    return frame.schema.fields
      .filter(({ name, jsonName }) => !frame.used.includes(name) && !frame.used.includes(jsonName))
      .map(({ jsonName }) => `"${jsonName}": `);
  }
  const field = fieldOf(frame);
  const isKeyOfMap = frame.kind === "map" && frame.key === undefined;
  return field === undefined || isKeyOfMap ? [] : valuesOf(field, frame.kind === "message");
}

function valuesOf(field: DescField, isWhole: boolean): string[] {
  if (isWhole && field.fieldKind === "list") return ["["];
  if (isWhole && field.fieldKind === "map") return ["{"];
  if (field.enum !== undefined) return enumValues(field.enum);
  // Some messages are not objects in JSON, such as google.protobuf.Timestamp.
  if (field.message !== undefined) return hasCustomJsonRepresentation(field.message) ? [] : ["{"];
  return field.scalar === ScalarType.BOOL ? ["true", "false"] : field.scalar === ScalarType.STRING ? ['"'] : [];
}

function enumValues(schema: DescEnum): string[] {
  return schema.values.map(({ name }) => `"${name}"`);
}
