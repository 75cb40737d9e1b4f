import { readFileSync } from "node:fs";
import type { JsonObject } from "@bufbuild/protobuf";
import type { OpenApiServing } from "./openapi-options.ts";

/**
 * What finds the document of a description: the one that is given, or one that `create` makes. What the options name by a path is read at once.
 *
 * @throws TypeError for a file that cannot be read, or is not JSON
 */
export function findDocument({ document }: OpenApiServing, create: () => JsonObject): () => Promise<JsonObject> {
  if (typeof document === "function") return async () => contentOf(await document());
  if (typeof document === "string") {
    const content = readDocument(document);
    return async () => content;
  }
  return async () => document ?? create();
}

/** A module of JSON has it as its default export. */
function contentOf(imported: { readonly default?: unknown }): JsonObject {
  const content = imported.default ?? imported;
  if (typeof content === "object" && content !== null) return content as JsonObject;
  throw new TypeError("openapi: document: the function has not returned a document");
}

function readDocument(path: string): JsonObject {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as JsonObject;
  } catch (error) {
    throw new TypeError(`createGateway: openapi: document: ${(error as Error).message}`, { cause: error });
  }
}
