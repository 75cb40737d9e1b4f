import type { JsonObject } from "@bufbuild/protobuf";
import type { Responder } from "../calls/responder.ts";
import { createDocsPage } from "./docs-page.ts";
import type { OpenApiServing } from "./openapi-options.ts";

/** A document that the gateway serves itself. */
export interface StaticPage {
  readonly body: Uint8Array;
  /** Name, value, name, value, … */
  readonly fields: readonly string[];
}

/** Makes a page when it is first asked for, and the same one after that: most processes are never asked, and all have to start. */
export type LoadPage = () => Promise<StaticPage>;

const defaultPath = "/openapi.json";

/** The documents of a description, by path. */
export function createStaticPages(
  loadDocument: () => Promise<JsonObject>,
  { path = defaultPath, docs }: OpenApiServing,
): ReadonlyMap<string, LoadPage> {
  const pages = new Map<string, LoadPage>();
  pages.set(path, once(loadDocument, documentPage));
  if (docs !== undefined)
    pages.set(
      docs,
      once(loadDocument, (document) => docsPage(document, path)),
    );
  return pages;
}

/** One that cannot be made is tried again with the next request. */
function once(loadDocument: () => Promise<JsonObject>, make: (document: JsonObject) => StaticPage): LoadPage {
  let page: StaticPage | undefined;
  return async () => {
    page ??= make(await loadDocument());
    return page;
  };
}

function documentPage(document: JsonObject): StaticPage {
  return {
    body: Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`),
    fields: ["content-type", "application/json", "cache-control", "no-cache"],
  };
}

function docsPage(document: JsonObject, documentPath: string): StaticPage {
  const { html, contentSecurityPolicy } = createDocsPage(document, documentPath);
  return {
    body: Buffer.from(html),
    fields: [
      ...["content-type", "text/html; charset=utf-8", "cache-control", "no-cache"],
      ...["content-security-policy", contentSecurityPolicy, "referrer-policy", "no-referrer"],
    ],
  };
}

/** The same for what answers by Fetch's means. */
export function pageResponse({ body, fields }: StaticPage): Response {
  const headers = new Headers();
  for (let at = 0; at < fields.length; at += 2) headers.set(fields[at] as string, fields[at + 1] as string);
  headers.set("content-length", String(body.length));
  return new Response(body as Uint8Array<ArrayBuffer>, { headers });
}

export function sendPage(responder: Responder, page: StaticPage): void {
  responder.send(200, page.fields, page.body);
}
