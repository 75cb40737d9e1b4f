import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type Span, splitList } from "../scan.ts";

/** A handler that answers UNIMPLEMENTED until someone writes it. Without parameters, so that no linter finds one that is not used. */
export function stubLines({ name, localName, methodKind }: DescMethod): string[] {
  // A generator without a yield is what linters refuse; what throws is of any type.
  const isPromise = methodKind === "unary" || methodKind === "client_streaming";
  return [
    `${isPromise ? "async " : ""}${localName}() {`,
    `  throw new ConnectError("${name} is not implemented", Code.Unimplemented);`,
    "},",
  ];
}

/** Adds handlers before the end of an object. */
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
  // Handlers of several lines stand apart from each other.
  const isApart = members.some((member) => text.slice(member.start, member.end).includes("\n"));
  const separator = isApart || methods.length > 1 ? "\n\n" : "\n";
  const before = last === undefined ? text.slice(0, start + 1) : text.slice(0, last.end);
  const comma = last === undefined ? "" : ",";
  const rest = last === undefined ? "" : restAfter(text.slice(last.end, close));
  const gap = last === undefined ? "\n" : separator;
  return `${before}${comma}${rest}${gap}${stubs.join(separator)}\n${outer}${text.slice(close)}`;
}

/** Comments after the last handler stay where they are, its comma is written already. */
function restAfter(text: string): string {
  return text.trimStart().startsWith(",") ? text.replace(",", "").trimEnd() : text.trimEnd();
}

/** The indentation of the line of a closing brace; where the object is on one line, that of the line. */
function indentAt(text: string, close: number, open: number): string {
  return lineIndent(text, close) ?? /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", open) + 1))?.[0] ?? "";
}

/** The white space before a place, if nothing else is before it on its line. */
function lineIndent(text: string, at: number): string | undefined {
  const before = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  return /^[ \t]*$/.test(before) ? before : undefined;
}

export interface HandlersModule {
  readonly service: DescService;
  readonly name: string;
  /** How the generated code is imported. */
  readonly imported: string;
  readonly factory: string;
}

/** A file with handlers of one service, all of them to be written. */
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
