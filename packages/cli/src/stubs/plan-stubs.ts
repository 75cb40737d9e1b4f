import { basename, dirname, join, relative } from "node:path";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { addImports } from "./add-imports.ts";
import { type FoundObject, findObject } from "./find-object.ts";
import { handlerNames } from "./handler-names.ts";
import { closeOf, type Span, splitList } from "./scan.ts";
import { createSourceFile, importedPath, type SourceFile, withoutEnding } from "./source-file.ts";
import { handlersModule, insertStubs, stubLines } from "./templates/stub-text.ts";

/** A service and its generated module. */
export interface GeneratedService {
  readonly service: DescService;
  /** Name of the export in the generated module. */
  readonly name: string;
  /** Absolute path of the generated module. */
  readonly module: string;
  /** Extension of imports: `.ts`, `.js` or none. */
  readonly ending: string;
}

/** The change of a file. */
export interface StubEdit {
  /** Absolute. */
  readonly path: string;
  /** Undefined for a new file. */
  readonly before: string | undefined;
  readonly after: string;
}

/** Methods whose handlers are left to the user, because their place is ambiguous. */
export interface LeftStubs {
  readonly service: DescService;
  readonly reason: string;
  readonly lines: readonly string[];
}

export interface StubPlan {
  readonly edits: readonly StubEdit[];
  /** Methods whose handlers are added to existing files. */
  readonly added: readonly DescMethod[];
  /** Services whose handlers are in new files. */
  readonly created: readonly { readonly service: DescService; readonly path: string; readonly factory: string }[];
  readonly left: readonly LeftStubs[];
}

/**
 * Plans handlers for methods that have none. Existing code is extended, never overwritten.
 *
 * @param sources the project's own TypeScript: texts by absolute path
 * @param folder folder of new files
 */
export function planStubs(
  services: readonly GeneratedService[],
  sources: ReadonlyMap<string, string>,
  folder: string,
): StubPlan {
  const files = new Map([...sources].map(([path, text]) => [path, createSourceFile(path, text)]));
  const edited = new Map<string, string>();
  const added: DescMethod[] = [];
  const created: { service: DescService; path: string; factory: string }[] = [];
  const left: LeftStubs[] = [];
  for (const generated of services) {
    const { service } = generated;
    const registrations = findRegistrations(generated, [...files.values()]);
    const [registration, second] = registrations;
    if (registration === undefined) {
      const made = planModule(generated, services, [...files.values()], folder);
      if ("reason" in made) left.push(made);
      else {
        files.set(made.path, createSourceFile(made.path, made.text));
        edited.set(made.path, made.text);
        created.push({ service, path: made.path, factory: made.factory });
      }
      continue;
    }
    const places = registrations.map((one) => `${one.file.path}:${lineOf(one.file, one.handlers.start)}`).join(" and ");
    if (second !== undefined) {
      left.push(leftFor(service, service.methods, `it is registered at ${places}`));
      continue;
    }
    const object = findObject(registration.file, registration.handlers, [...files.values()]);
    const names = object === undefined ? undefined : handlerNames(object);
    if (object === undefined || names === undefined) {
      left.push(leftFor(service, service.methods, `cannot determine from the code which handlers ${places} registers`));
      continue;
    }
    const missing = service.methods.filter(({ localName }) => !names.has(localName));
    if (missing.length === 0) continue;
    const text = withStubs(object, missing);
    files.set(object.file.path, createSourceFile(object.file.path, text));
    edited.set(object.file.path, text);
    added.push(...missing);
  }
  const edits = [...edited].map(([path, after]) => ({ path, before: sources.get(path), after }));
  return { edits, added, created, left };
}

function withStubs(object: FoundObject, missing: readonly DescMethod[]): string {
  const { file } = object;
  const text = insertStubs(file.text, file.masked, object.span, missing);
  return addImports(createSourceFile(file.path, text), ["Code", "ConnectError"]);
}

interface Registration {
  readonly file: SourceFile;
  /** The second argument of `router.service(X, …)`. */
  readonly handlers: Span;
}

/** Finds every `….service(X, handlers)` whose X is the generated service. */
function findRegistrations({ name, module }: GeneratedService, files: readonly SourceFile[]): Registration[] {
  return files.flatMap((file) =>
    [...file.masked.matchAll(/\.service\(/g)].flatMap((found): Registration[] => {
      const open = found.index + found[0].length - 1;
      const close = closeOf(file.masked, open);
      if (close === undefined) return [];
      const [service, handlers] = splitList(file.masked, { start: open + 1, end: close });
      if (service === undefined || handlers === undefined) return [];
      const imported = file.imports.get(file.masked.slice(service.start, service.end));
      const isMeant = imported?.name === name && importedPath(file, imported.from) === withoutEnding(module);
      return isMeant ? [{ file, handlers }] : [];
    }),
  );
}

/** Plans a new file with the handlers of a service that has none. */
function planModule(
  generated: GeneratedService,
  services: readonly GeneratedService[],
  files: readonly SourceFile[],
  folder: string,
): { readonly path: string; readonly text: string; readonly factory: string } | LeftStubs {
  const { service, name, module, ending } = generated;
  const isNameTaken = services.some((other) => other !== generated && other.name === name);
  const words = isNameTaken ? service.typeName.split(".").join("-") : name;
  const path = join(folder, `${kebabCase(words)}.ts`);
  const typed = files.find(({ masked, imports }) =>
    [...imports].some(([local, { name: of }]) => of === name && masked.includes(`ServiceImpl<typeof ${local}>`)),
  );
  if (typed !== undefined) {
    return leftFor(
      service,
      service.methods,
      `${typed.path} has its handlers, but router.service(${name}, …) was not found`,
    );
  }
  if (files.some((file) => file.path === path)) return leftFor(service, service.methods, `${path} already exists`);
  const from = relative(dirname(path), module).replaceAll("\\", "/");
  const imported = `${from.startsWith(".") ? "" : "./"}${withoutEnding(from)}${ending}`;
  const factory = `create${pascalCase(words)}`;
  return { path, factory, text: handlersModule({ service, name, imported, factory }) };
}

function leftFor(service: DescService, methods: readonly DescMethod[], reason: string): LeftStubs {
  return { service, reason, lines: methods.flatMap((method) => stubLines(method)) };
}

function lineOf({ text }: SourceFile, at: number): number {
  return text.slice(0, at).split("\n").length;
}

/** Converts `UserService` to `user-service` and `KV` to `kv`. */
function kebabCase(name: string): string {
  return basename(name)
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1-$2")
    .replaceAll("_", "-")
    .toLowerCase();
}

function pascalCase(name: string): string {
  return kebabCase(name)
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}
