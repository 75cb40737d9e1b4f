import type { JsonObject } from "@bufbuild/protobuf";
import { refuseUnknownOptions } from "@tercel/grpc/internal";

/** What a description of a REST API says besides its operations. */
export interface OpenApiInfo {
  /** The API's name. Default: the names of its services. */
  readonly title?: string;
  /** The API's own version. Default "1.0.0". */
  readonly version?: string;
  /** Markdown, below the title. */
  readonly description?: string;
  /** Laid over the document: objects are merged, everything else is replaced. For servers, security, contacts and the like. */
  readonly overlay?: JsonObject;
}

/** How the description of a REST API is served. */
export interface OpenApiServing extends OpenApiInfo {
  /** Where the document is served. Default "/openapi.json". */
  readonly path?: string;
  /** Where a page shows it. Default: nowhere. */
  readonly docs?: string;
  /**
   * A descriptor set, which `buf build -o api.binpb` writes: generated code has no comments of the protos, and this has. Default: a document without
   * texts.
   */
  readonly descriptorSet?: Uint8Array;
  /**
   * A document that is served instead of one that is made of the methods when it is first asked for: the document, the path of its file, which is read at
   * start, or a function that imports it, which is called with the first request:
   * `() => import("./gen/openapi.json", { with: { type: "json" } })`. `protoc-gen-tercel-openapi` writes one.
   */
  readonly document?: JsonObject | string | (() => object | Promise<object>);
  /**
   * Called for each request for the document or the page; a response that it returns is sent instead of them: 401, for instance, to those who may not
   * see them. Default: all may.
   */
  readonly guard?: (request: Request) => Response | undefined | Promise<Response | undefined>;
}

/** @throws TypeError */
export function checkOpenApi(openapi: OpenApiServing): void {
  const where = "createGateway: openapi";
  refuseUnknownOptions(where, openapi, [
    ...["title", "version", "description", "overlay", "path", "docs", "descriptorSet", "document", "guard"],
  ]);
  if (!["undefined", "object", "string", "function"].includes(typeof openapi.document)) {
    throw new TypeError(`${where}: document has to be a document, the path of its file, or a function that imports it`);
  }
  if (openapi.guard !== undefined && typeof openapi.guard !== "function") {
    throw new TypeError(`${where}: guard has to be a function that takes a Request and returns a Response, or nothing`);
  }
  for (const name of ["path", "docs"] as const) {
    const path = openapi[name];
    if (path === undefined || /^\/[A-Za-z0-9/._-]*$/.test(path)) continue;
    throw new TypeError(`${where}: ${name} is ${JSON.stringify(path)}; it has to be a path such as /docs`);
  }
  if ((openapi.path ?? "/openapi.json") === openapi.docs) throw new TypeError(`${where}: path and docs are the same`);
}
