const maxShownLength = 80;

/** A wrong value as errors name it: texts, numbers and the like as they are written, of other things only the kind. */
export function describeValue(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "string" ? JSON.stringify(value.slice(0, maxShownLength)) : String(value);
}
