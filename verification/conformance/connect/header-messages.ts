import type { Header } from "./messages.ts";

/** Adds the headers of a test case. */
export function appendHeaders(to: Headers, given: readonly Header[]): void {
  for (const { name, value } of given) for (const one of value) to.append(name, one);
}

/** Converts headers to the suite's messages. Separate values are one string here, which the runner splits. */
export function toHeaderMessages(headers: Headers): Pick<Header, "name" | "value">[] {
  return [...headers].map(([name, value]) => ({ name, value: [value] }));
}
