import type { Header } from "./messages.ts";

/** Adds headers that a test case gives. */
export function appendHeaders(to: Headers, given: readonly Header[]): void {
  for (const { name, value } of given) for (const one of value) to.append(name, one);
}

/** Headers as the suite wants to see them. Values that arrived apart are one string here, which the runner splits itself. */
export function toHeaderMessages(headers: Headers): Pick<Header, "name" | "value">[] {
  return [...headers].map(([name, value]) => ({ name, value: [value] }));
}
