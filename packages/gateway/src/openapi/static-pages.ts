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

const defaultPath = "/openapi.json";

/** The documents of a description, by path. */
export function createStaticPages(document: JsonObject, serving: OpenApiServing): ReadonlyMap<string, StaticPage> {
  const path = serving.path ?? defaultPath;
  const pages = new Map<string, StaticPage>();
  pages.set(path, {
    body: Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`),
    fields: ["content-type", "application/json", "cache-control", "no-cache"],
  });
  if (serving.docs !== undefined) {
    const { html, contentSecurityPolicy } = createDocsPage(document, path);
    pages.set(serving.docs, {
      body: Buffer.from(html),
      fields: [
        ...["content-type", "text/html; charset=utf-8", "cache-control", "no-cache"],
        ...["content-security-policy", contentSecurityPolicy, "referrer-policy", "no-referrer"],
      ],
    });
  }
  return pages;
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
