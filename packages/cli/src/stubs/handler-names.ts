import type { FoundObject } from "./find-object.ts";
import { splitList } from "./scan.ts";

/** Returns the names of an object's handlers; undefined if it may have others: a spread, a computed name. */
export function handlerNames({ file, span }: FoundObject): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const { start, end } of splitList(file.masked, { start: span.start + 1, end: span.end - 1 })) {
    const name = memberName(file.text.slice(start, end));
    if (name === undefined) return undefined;
    names.add(name);
  }
  return names;
}

/** Returns the name of a member: `getUser` of `async getUser({ id }) {…}`, `getUser: …`, `async *getUser() {…}` or `getUser`. */
function memberName(member: string): string | undefined {
  const [keyword, afterKeyword] = /^(?:async|get)(?=[\s*])/.test(member) ? splitWord(member) : ["", member];
  const text = afterKeyword.replace(/^\*/, "").trimStart();
  const [, quote = "", name] = /^(["']?)([\w$]+)/.exec(text) ?? [];
  // A property named async is not followed by another name.
  if (name === undefined) return keyword === "" ? undefined : keyword;
  const rest = text.slice(quote.length + name.length);
  const after = (quote === "" ? rest : rest.slice(1)).trimStart();
  return after === "" || "(<:?".includes(after.charAt(0)) ? name : undefined;
}

function splitWord(text: string): [word: string, rest: string] {
  const word = /^\w+/.exec(text)?.[0] ?? "";
  return [word, text.slice(word.length).trimStart()];
}
