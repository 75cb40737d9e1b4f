import type { DescMethod, FileRegistry } from "@bufbuild/protobuf";
import { nearestName } from "@tercel/grpc/internal";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";
import { suggest, suggestNearest, withSuggestion } from "../frame/suggestion.ts";
import type { Schema } from "./schema.ts";

export interface FoundMethod {
  readonly method: DescMethod;
  /** Types for messages in google.protobuf.Any, and for extensions. */
  readonly registry: FileRegistry;
}

/** Limit on the names that an error lists. */
const maxListedNames = 12;

/**
 * Finds `package.Service/Method`. The package is optional if the service name is unique, the method may have its TypeScript name
 * (`sayHello`), and a dot may replace the slash.
 *
 * @throws CommandFailure that suggests the nearest service or method
 */
export async function findMethod(schema: Schema, text: string, signal: AbortSignal): Promise<FoundMethod> {
  const { service: serviceText, method: methodText } = splitMethod(text);
  const { service, registry } = await findService(schema, serviceText, signal);
  const method = service.methods.find(
    ({ name, localName }) =>
      name === methodText || localName === methodText || name.toLowerCase() === methodText.toLowerCase(),
  );
  if (method !== undefined) return { method, registry };
  const names = service.methods.map(({ name }) => name);
  const what = `${service.typeName} has no method ${JSON.stringify(methodText)}`;
  const suggestion = suggestNearest(methodText, names, JSON.stringify);
  throw new CommandFailure(exitCodes.notFound, withSuggestion(what, suggestion), {
    hint: `its methods are ${listNames(names)}`,
  });
}

/** Finds a service by its full name, or by an unambiguous ending of it. */
export async function findService(schema: Schema, text: string, signal: AbortSignal) {
  const exact = await schema.findSymbol(text, signal);
  const found = exact?.getService(text);
  if (exact !== undefined && found !== undefined) return { service: found, registry: exact };

  const names = await schema.listServices(signal);
  const matches = names.filter((name) => `.${name}`.toLowerCase().endsWith(`.${text}`.toLowerCase()));
  const [only, second] = matches;
  if (only === undefined) throw unknownService(schema, text, names);
  if (second !== undefined) {
    throw usageFailure(
      `ambiguous service ${JSON.stringify(text)}: ${matches.join(" or ")}`,
      "use the full name of the service",
    );
  }
  const registry = await schema.findSymbol(only, signal);
  const service = registry?.getService(only);
  if (registry === undefined || service === undefined) throw unknownService(schema, only, names);
  return { service, registry };
}

function splitMethod(text: string): { service: string; method: string } {
  const path = text.replace(/^\//, "");
  const at = path.includes("/") ? path.lastIndexOf("/") : path.lastIndexOf(".");
  const [service, method] = [path.slice(0, at), path.slice(at + 1)];
  if (at > 0 && method !== "") return { service, method };
  throw usageFailure(
    `invalid method ${JSON.stringify(text)}: expected SERVICE/METHOD, such as hello.v1.HelloService/SayHello`,
    "tercel list shows the services, tercel list SERVICE the methods of a service",
  );
}

function unknownService(schema: Schema, text: string, names: readonly string[]): CommandFailure {
  const byLastPart = new Map(names.map((name) => [name.slice(name.lastIndexOf(".") + 1), name]));
  const shortName = nearestName(text.slice(text.lastIndexOf(".") + 1), [...byLastPart.keys()]);
  const nearest = nearestName(text, names) ?? byLastPart.get(shortName ?? "");
  const what = `no service ${JSON.stringify(text)} in ${schema.origin}`;
  return new CommandFailure(exitCodes.notFound, withSuggestion(what, suggest(nearest, JSON.stringify)), {
    hint: names.length === 0 ? "it has no services" : `its services are ${listNames(names)}`,
  });
}

function listNames(names: readonly string[]): string {
  const more = names.length - maxListedNames;
  return names.slice(0, maxListedNames).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
