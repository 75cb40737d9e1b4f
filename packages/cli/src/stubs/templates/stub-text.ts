import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type Span, splitList } from "../scan.ts";

/** Returns a handler that fails with UNIMPLEMENTED. It has no parameters, so that linters do not report unused ones. */
export function stubLines({ name, localName, methodKind }: DescMethod): string[] {
  // Linters reject a generator without yield; a function that only throws has any return type.
  const isPromise = methodKind === "unary" || methodKind === "client_streaming";
  return [
    `${isPromise ? "async " : ""}${localName}() {`,
    `  throw new ConnectError("${name} is not implemented", Code.Unimplemented);`,
    "},",
  ];
}

/** Inserts handlers at the end of an object. */
export function insertStubs(
  text: string,
  masked: string,
  { start, end }: Span,
  methods: readonly DescMethod[],
): string {
  const close = end - 1;
  const members = splitList(masked, { start: start + 1, end: close });
  const last = members.at(-1);
  const outer = indentAt(text, close, start);
  const inner = last === undefined ? `${outer}  ` : (lineIndent(text, last.start) ?? `${outer}  `);
  const stubs = methods.map((method) =>
    stubLines(method)
      .map((line) => `${inner}${line}`)
      .join("\n"),
  );
  // Handlers of several lines are separated by empty lines.
  const isApart = members.some((member) => text.slice(member.start, member.end).includes("\n"));
  const separator = isApart || methods.length > 1 ? "\n\n" : "\n";
  const before = last === undefined ? text.slice(0, start + 1) : text.slice(0, last.end);
  const comma = last === undefined ? "" : ",";
  const rest = last === undefined ? "" : restAfter(text.slice(last.end, close));
  const gap = last === undefined ? "\n" : separator;
  return `${before}${comma}${rest}${gap}${stubs.join(separator)}\n${outer}${text.slice(close)}`;
}

/** Returns the text after the last handler; its comments are kept, and its comma is already written. */
function restAfter(text: string): string {
  return text.trimStart().startsWith(",") ? text.replace(",", "").trimEnd() : text.trimEnd();
}

/** Returns the indentation of the closing brace's line, or of the object's line if it is on one line. */
function indentAt(text: string, close: number, open: number): string {
  return lineIndent(text, close) ?? /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", open) + 1))?.[0] ?? "";
}

/** Returns the white space before a position, if it is the first text on its line. */
function lineIndent(text: string, at: number): string | undefined {
  const before = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  return /^[ \t]*$/.test(before) ? before : undefined;
}

export interface HandlersModule {
  readonly service: DescService;
  readonly name: string;
  /** Module specifier of the generated code. */
  readonly imported: string;
  readonly factory: string;
}

/** Returns a file with stubs for all handlers of a service. */
export function handlersModule({ service, name, imported, factory }: HandlersModule): string {
  const stubs = service.methods.map((method) =>
    stubLines(method)
      .map((line) => `    ${line}`)
      .join("\n"),
  );
  const hasMethods = stubs.length > 0;
  return [
    'import type { ServiceImpl } from "@connectrpc/connect";',
    ...(hasMethods ? ['import { Code, ConnectError } from "@tercel/grpc";'] : []),
    `import type { ${name} } from "${imported}";`,
    "",
    `/** The handlers of ${service.typeName}. Register them: router.service(${name}, ${factory}()). */`,
    `export function ${factory}(): ServiceImpl<typeof ${name}> {`,
    ...(hasMethods ? ["  return {", stubs.join("\n\n"), "  };"] : ["  return {};"]),
    "}",
    "",
  ].join("\n");
}
